// What the answers of a web server mean that is used as a store. A server may well answer one key strangely (a folder, a name that it does not take):
// that must not count as an outage, which would keep the other keys waiting.
import { StoreError, callFailure, connectionFacts, unreachable } from './failure.ts';
import type { AskedFor, Judgement, StoreFailure } from './failure.ts';

const CREDENTIALS: Judgement = { reason: 'InvalidCredentials', text: 'the credentials are missing or not valid' };
const DENIED: Judgement = { reason: 'AccessDenied', text: 'access is not allowed' };
const MISSING: Judgement = { reason: 'NoSuchKey', text: 'the key does not exist' };
const BUSY: Judgement = { reason: 'Throttled', text: 'the store asks for fewer requests' };
const NO_HEAD: Judgement = { reason: 'StoreUnreachable', text: 'the store does not answer HEAD' };
const FAILED: Judgement = { reason: 'StoreUnreachable', text: 'the store failed' };
const REDIRECT: Judgement = {
  reason: 'NoSuchKey',
  text: 'the store redirects, which is not followed: its url has to be the address itself',
};
const STRANGE: Judgement = { reason: 'NoSuchKey', text: 'the store does not take this key' };

const KNOWN: ReadonlyMap<number, Judgement> = new Map([
  [401, CREDENTIALS],
  [403, DENIED],
  [404, MISSING],
  [405, NO_HEAD],
  [408, FAILED],
  [410, MISSING],
  [429, BUSY],
  [501, NO_HEAD],
  [503, BUSY],
]);

/** The failure behind an error without an answer. */
export function toHttpFailure(error: unknown, asked: AskedFor): StoreFailure {
  if (error instanceof StoreError) return error.failure;
  const facts = connectionFacts(error);
  return callFailure(unreachable(facts), facts, asked);
}

/** The failure that an answer other than 200 is. */
export function httpStatusFailure(status: number, asked: AskedFor): StoreFailure {
  return callFailure(judge(status), { status }, asked);
}

function judge(status: number): Judgement {
  const known = KNOWN.get(status);
  if (known !== undefined) return known;
  if (status >= 300 && status < 400) return REDIRECT;
  return status >= 400 && status < 500 ? STRANGE : FAILED;
}
