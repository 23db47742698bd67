// What is known of one key, as a value: answers of the store go in, a resolution comes out. Pure; times are epoch ms.
import { artifactFrom, identityOf, type ObjectFacts, type ResolvedArtifact } from '../domain/artifact.ts';
import type { StoreFailure } from './failure.ts';
import type { Resolution } from './source.ts';

/** What a List and a HEAD both tell of an object: enough to see that it changed. */
export interface Print {
  readonly etag: string;
  readonly size: number | undefined;
  /** Whole seconds: a HEAD knows no finer ones. */
  readonly modified: number;
}

interface Current {
  readonly artifact: ResolvedArtifact;
  readonly print: Print;
  readonly listedAt: number;
}

/** An answer that is older than what is known: a replica that lags, or an object that was put back. */
interface Doubt {
  readonly print: Print;
  readonly since: number;
  readonly answers: number;
}

/** State of one key. The empty object is a key that was never asked about. */
export interface Track {
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

/** The print of an object. ETags are compared without quotes and weakness, which List and HEAD may write differently. */
export function printOf(facts: Pick<ObjectFacts, 'etag' | 'size' | 'lastModified'>): Print {
  const etag = (facts.etag ?? '').replace(/^W\//, '').replaceAll('"', '');
  return { etag, size: facts.size, modified: Math.floor((facts.lastModified?.getTime() ?? 0) / 1000) };
}

/** What an answer of the store means for a key. `older` needs to be confirmed, see Doubt. */
export function compare(track: Track, print: Print): 'same' | 'newer' | 'older' {
  const known = track.current?.print;
  if (known === undefined) return 'newer';
  if (isSame(known, print)) return 'same';
  return print.modified < known.modified && track.failure?.reason !== 'NoSuchKey' ? 'older' : 'newer';
}

/** The key has the version that is known already: whatever had failed is over. */
export function seenAgain(track: Track): Track {
  return track.current === undefined ? {} : { current: track.current };
}

/** The store described the object in full. */
export function found(
  track: Track,
  place: { readonly store: string; readonly bucket: string; readonly key: string },
  { facts, listedAt, knownIsGone = false }: Found,
  now: number,
): Track {
  const print = printOf(facts);
  const verdict = compare(track, print);
  if (verdict === 'same') return seenAgain(track);
  if (verdict === 'older' && !knownIsGone) {
    const doubt = doubted(track.doubt, print, now);
    if (!isConfirmed(doubt, now)) return { ...seenAgain(track), doubt };
  }
  const artifact = artifactFrom(place, facts);
  const { current } = track;
  const isRenewed = current !== undefined && identityOf(current.artifact) === identityOf(artifact);
  return { current: { artifact, print, listedAt: isRenewed ? current.listedAt : listedAt } };
}

/** The store did not tell. The last version stays known; the same failure again changes nothing. */
export function failed(track: Track, failure: StoreFailure, now: number): Track {
  if (track.failure?.cause === failure.cause) return track;
  const since = track.failure?.reason === failure.reason ? track.failure.since : now;
  return { ...track, failure: { ...failure, since } };
}

/** What a resource is told of a key: a failure hides nothing that was known before. */
export function resolutionOf({ current, failure }: Track): Resolution {
  if (failure !== undefined) {
    const { reason, message, since } = failure;
    return { kind: 'failed', reason, message, since, ...(current !== undefined && { last: current.artifact }) };
  }
  if (current === undefined) return { kind: 'pending' };
  const { artifact, listedAt } = current;
  return { kind: 'resolved', artifact, listedAt };
}

/** Text that differs when a resource should look again. */
export function signature(track: Track): string {
  const { current, failure } = track;
  const artifact = current?.artifact;
  return JSON.stringify([
    artifact === undefined ? undefined : [identityOf(artifact), artifact.sha256],
    failure === undefined ? undefined : [failure.reason, failure.message],
  ]);
}

function doubted(doubt: Doubt | undefined, print: Print, now: number): Doubt {
  if (doubt === undefined || !isSame(doubt.print, print)) return { print, since: now, answers: 1 };
  return { ...doubt, answers: doubt.answers + 1 };
}

function isConfirmed({ since, answers }: Doubt, now: number): boolean {
  return answers >= DOUBT_ANSWERS && now - since >= DOUBT_MS;
}

function isSame(a: Print, b: Print): boolean {
  return a.etag === b.etag && a.modified === b.modified && a.size === b.size;
}
