// A sibling pod as the last place that still has an artifact: an upload over the key of an unversioned bucket destroys the promoted bytes in the store.
import { Readable } from 'node:stream';
import { LoadError } from '../errors.ts';
import { save, unreachable, within } from './download.ts';
import type { Limits, Saved } from './download.ts';

const ANSWER_MS = 10_000;

/** Fetches the artifact with this hash from the admin port behind `base`. Throws LoadError: NoSuchKey, AccessDenied, StoreUnreachable. */
export async function fetchFromSibling(
  { base, token, sha256 }: { readonly base: string; readonly token: string; readonly sha256: string },
  path: string,
  limits: Limits,
  signal: AbortSignal,
): Promise<Saved> {
  const url = new URL(`artifacts/${sha256}`, base.endsWith('/') ? base : `${base}/`);
  const response = await within(ANSWER_MS, signal, (both) =>
    fetch(url, { headers: { authorization: `Bearer ${token}` }, redirect: 'error', signal: both }),
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unreachable(`No sibling answers at ${url.host}`, error);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw siblingError(response.status, url.host);
  }
  return save(Readable.fromWeb(response.body), path, limits, signal);
}

function siblingError(status: number, host: string): LoadError {
  if (status === 404) return new LoadError('NoSuchKey', `The sibling at ${host} does not have the artifact`);
  if (status === 401) return new LoadError('AccessDenied', `The sibling at ${host} refuses the admin token`);
  return unreachable(`The sibling at ${host} answers HTTP ${status}`, undefined);
}
