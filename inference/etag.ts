// ETags of object stores: opaque, weak or strong, quoted or not; and what stands in for one that a server does not send.
import type { IncomingHttpHeaders } from 'node:http';

const MAX_ETAG = 1024;
const MAX_DATE = 64;

/** Whether two tokens name the same version: quotes and the W of a weak one do not count. */
export function isSameEtag(a: string, b: string): boolean {
  return bare(a) === bare(b);
}

/** The token of an answer: its ETag, else the time of the last change with the size, where that is known. undefined: the server says neither. */
export function etagOf(
  { etag, 'last-modified': modified }: IncomingHttpHeaders,
  size: number | undefined,
): string | undefined {
  if (etag !== undefined && etag !== '' && etag.length <= MAX_ETAG) return etag;
  if (modified === undefined || modified.length > MAX_DATE) return undefined;
  return size === undefined ? modified : `${modified}, ${size} bytes`;
}

/** Whether If-Match may carry it: only a strong ETag can match there. */
export function isStrongEtag(etag: string): boolean {
  return /^"[^"]*"$/.test(etag);
}

function bare(etag: string): string {
  return etag.replace(/^(?:W\/)?"(.*)"$/, '$1');
}
