// A web server with files below one base address, as a store. A version is pinned by If-Match and by what the answer says of itself, so that HEAD and GET
// never see two objects.
import type { IncomingMessage } from 'node:http';
import type { HttpSettings } from '../contract.ts';
import { LoadError, codeOf } from '../errors.ts';
import { etagOf, isSameEtag, isStrongEtag } from '../etag.ts';
import { ask, lengthOf, objectUrl } from '../http-object.ts';
import { save, tooLarge, unreachable, within } from './download.ts';
import type { Limits } from './download.ts';
import type { Fetched, Store, Version, Wanted } from './store.ts';

const ANSWER_MS = 18_000;

export interface HttpOptions {
  readonly settings: HttpSettings;
  readonly bucket: string;
  /** Of every request. */
  readonly authorization?: string | undefined;
  readonly answerMs?: number;
}

export function httpStore({ settings, bucket, authorization, answerMs = ANSWER_MS }: HttpOptions): Store {
  async function answerTo(method: 'HEAD' | 'GET', { key, versionId, etag }: Wanted, signal: AbortSignal) {
    const url = objectUrl(settings.url, bucket, key);
    if (url === undefined) throw new LoadError('NoSuchKey', `${bucket}/${key}: a store of kind http has no such names`);
    if (versionId !== undefined) {
      throw new LoadError(
        'NoSuchKey',
        `${url.href}: a store of kind http keeps no versions, and ${versionId} was asked for`,
      );
    }
    const headers = etag !== undefined && isStrongEtag(etag) ? { 'if-match': etag } : {};
    const answer = await within(answerMs, signal, (both) =>
      ask(url, { method, headers, authorization, signal: both }),
    ).catch((error: unknown) => {
      signal.throwIfAborted();
      throw unreachable(`${url.href}: no answer (${codeOf(error) ?? 'unknown'})`, error);
    });
    return { answer, where: url.href };
  }

  async function look(key: string, signal: AbortSignal): Promise<Version> {
    const { answer, where } = await answerTo('HEAD', { key }, signal);
    answer.resume();
    if (answer.statusCode !== 200) throw statusError(where, answer.statusCode);
    return versionOf(key, answer, lengthOf(answer));
  }

  async function fetch(wanted: Wanted, path: string, limits: Limits, signal: AbortSignal): Promise<Fetched> {
    const { answer, where } = await answerTo('GET', wanted, signal);
    const length = lengthOf(answer);
    const problem = refusal(where, answer) ?? mismatch(where, wanted, answer, length, limits);
    if (problem !== undefined) {
      answer.destroy();
      throw problem;
    }
    const saved = await save(answer, path, limits, signal);
    // An answer without a length has one only now.
    const late = mismatch(where, wanted, answer, saved.size, limits);
    if (late !== undefined) throw late;
    return { ...versionOf(wanted.key, answer, saved.size), ...saved };
  }

  return { look, fetch };
}

function versionOf(key: string, { headers }: IncomingMessage, size: number | undefined): Version {
  const etag = etagOf(headers, size);
  return { key, ...(etag !== undefined && { etag }), ...(size !== undefined && { size }) };
}

/** An answer that is not the object as it stands. */
function refusal(where: string, { statusCode, headers }: IncomingMessage): LoadError | undefined {
  if (statusCode !== 200) return statusError(where, statusCode);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return undefined;
  return unreachable(
    `${where}: the answer has Content-Encoding ${encoding.slice(0, 20)}: turn that off for model files`,
    undefined,
  );
}

/** Many servers do not know If-Match, and none can match a weak ETag: so the answer is looked at as well. */
function mismatch(
  where: string,
  wanted: Wanted,
  { headers }: IncomingMessage,
  size: number | undefined,
  { maxBytes }: Limits,
): LoadError | undefined {
  if (size !== undefined && size > maxBytes) return tooLarge(maxBytes);
  if (size !== undefined && wanted.size !== undefined && size !== wanted.size) {
    return new LoadError('ObjectChanged', `${where} has ${size} bytes now, ${wanted.size} were asked for`);
  }
  const { etag } = wanted;
  // Without an ETag the length belongs to the token; a HEAD may have left it out, and the token has none then.
  if (size === undefined && headers.etag === undefined) return undefined;
  const found = [etagOf(headers, size), etagOf(headers, undefined)].filter((token) => token !== undefined);
  if (etag === undefined || found.some((token) => isSameEtag(token, etag))) return undefined;
  return new LoadError('ObjectChanged', `${where} is version ${found[0] ?? 'unknown'} now, ${etag} was asked for`);
}

function statusError(where: string, status = 0): LoadError {
  const told = (reason: LoadError['reason'], text: string) =>
    new LoadError(reason, `${where}: ${text} (HTTP ${status})`);
  if (status === 401 || status === 403) return told('AccessDenied', 'access denied');
  if (status === 404 || status === 410) return told('NoSuchKey', 'there is no such object');
  if (status === 412) return told('ObjectChanged', 'the object has been overwritten since it was asked for');
  if (status >= 300 && status < 400) {
    return told('NoSuchKey', 'the store redirects, which is not followed: its URL has to be the address itself');
  }
  return unreachable(`${where}: the store does not answer as it should (HTTP ${status})`, undefined);
}
