// What is known of one key, as a value: answers of the store go in, a resolution comes out. Pure; times are epoch ms.
import { artifactFrom, identityOf, type ObjectFacts, type ResolvedArtifact } from '../domain/artifact.ts';
import type { StoreFailure } from './failure.ts';
import type { Resolution } from './source.ts';

/** What a List and a HEAD both tell of an object: enough to see that it changed. */
export interface Fingerprint {
  readonly etag: string;
  readonly size: number | undefined;
  /** Whole seconds: a HEAD knows no finer ones. */
  readonly modified: number;
}

interface Current {
  readonly artifact: ResolvedArtifact;
  readonly fingerprint: Fingerprint;
  readonly listedAt: number;
}

/** An answer that is older than what is known: a replica that lags, or an object that was put back. */
interface Doubt {
  readonly fingerprint: Fingerprint;
  readonly since: number;
  readonly answers: number;
}

/** State of one key. The empty object is a key that was never asked about. */
export interface KeyState {
  readonly current?: Current;
  readonly failure?: StoreFailure & { readonly since: number };
  readonly doubt?: Doubt;
}

export interface Found {
  readonly facts: ObjectFacts;
  /** When the first request was sent whose answer showed this version. */
  readonly listedAt: number;
  /** The version known so far no longer exists, so that an older one is no doubt. */
  readonly knownIsGone?: boolean;
}

/** How long, and in how many answers in a row, a store must insist on an older object. */
const DOUBT_MS = 60_000;
const DOUBT_ANSWERS = 3;

/** The fingerprint of an object. ETags are compared without quotes and weakness, which List and HEAD may write differently. */
export function fingerprintOf(facts: Pick<ObjectFacts, 'etag' | 'size' | 'lastModified'>): Fingerprint {
  const etag = (facts.etag ?? '').replace(/^W\//, '').replaceAll('"', '');
  return { etag, size: facts.size, modified: Math.floor((facts.lastModified?.getTime() ?? 0) / 1000) };
}

/** What an answer of the store means for a key. `older` needs to be confirmed, see Doubt. */
export function compare(state: KeyState, fingerprint: Fingerprint): 'same' | 'newer' | 'older' {
  const known = state.current?.fingerprint;
  if (known === undefined) return 'newer';
  if (isSame(known, fingerprint)) return 'same';
  return fingerprint.modified < known.modified && state.failure?.reason !== 'NoSuchKey' ? 'older' : 'newer';
}

/** The key has the version that is known already: whatever had failed is over. */
export function seenAgain(state: KeyState): KeyState {
  return state.current === undefined ? {} : { current: state.current };
}

/** The store described the object in full. */
export function found(
  state: KeyState,
  place: { readonly store: string; readonly bucket: string; readonly key: string },
  { facts, listedAt, knownIsGone = false }: Found,
  now: number,
): KeyState {
  const fingerprint = fingerprintOf(facts);
  const verdict = compare(state, fingerprint);
  if (verdict === 'same') return seenAgain(state);
  if (verdict === 'older' && !knownIsGone) {
    const doubt = doubted(state.doubt, fingerprint, now);
    if (!isConfirmed(doubt, now)) return { ...seenAgain(state), doubt };
  }
  const artifact = artifactFrom(place, facts);
  const { current } = state;
  const isRenewed = current !== undefined && identityOf(current.artifact) === identityOf(artifact);
  return { current: { artifact, fingerprint, listedAt: isRenewed ? current.listedAt : listedAt } };
}

/** The store did not tell. The last version stays known; the same failure again changes nothing. */
export function failed(state: KeyState, failure: StoreFailure, now: number): KeyState {
  if (state.failure?.cause === failure.cause) return state;
  const since = state.failure?.reason === failure.reason ? state.failure.since : now;
  return { ...state, failure: { ...failure, since } };
}

/** What a resource is told of a key: a failure hides nothing that was known before. */
export function resolutionOf({ current, failure }: KeyState): Resolution {
  if (failure !== undefined) {
    const { reason, message, since } = failure;
    return { kind: 'failed', reason, message, since, ...(current !== undefined && { last: current.artifact }) };
  }
  if (current === undefined) return { kind: 'pending' };
  const { artifact, listedAt } = current;
  return { kind: 'resolved', artifact, listedAt };
}

/** Text that differs when a resource should look again. */
export function signature(state: KeyState): string {
  const { current, failure } = state;
  const artifact = current?.artifact;
  return JSON.stringify([
    artifact === undefined ? undefined : [identityOf(artifact), artifact.sha256],
    failure === undefined ? undefined : [failure.reason, failure.message],
  ]);
}

function doubted(doubt: Doubt | undefined, fingerprint: Fingerprint, now: number): Doubt {
  if (doubt === undefined || !isSame(doubt.fingerprint, fingerprint)) return { fingerprint, since: now, answers: 1 };
  return { ...doubt, answers: doubt.answers + 1 };
}

function isConfirmed({ since, answers }: Doubt, now: number): boolean {
  return answers >= DOUBT_ANSWERS && now - since >= DOUBT_MS;
}

function isSame(a: Fingerprint, b: Fingerprint): boolean {
  return a.etag === b.etag && a.modified === b.modified && a.size === b.size;
}
