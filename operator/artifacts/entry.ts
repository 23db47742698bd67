// One followed key of a source: who wants it, what is known of it, and when it is asked for next.
import type { ObjectFacts } from '../domain/artifact.ts';
import type { Knowledge } from './bucket-survey.ts';
import { compare, fingerprintOf, type Fingerprint, type KeyState } from './key-state.ts';

/** A moment that does not come. */
export const NEVER = Number.POSITIVE_INFINITY;

/** One key, or one version of it. Times are monotonic. */
export interface Entry {
  readonly key: string;
  readonly versionId: string | undefined;
  /** Poll interval by resource. */
  readonly wants: Map<string, number>;
  state: KeyState;
  /** NEVER while it is being asked for, and for a pinned version that is known. */
  dueAt: number;
  isDone: boolean;
  /** The change that a List has shown and no HEAD has confirmed yet; `at` is epoch ms. */
  noticed?: { readonly fingerprint: Fingerprint; readonly at: number };
}

/** Names a wanted key or version within its source. */
export function entryId(key: string, versionId: string | undefined): string {
  return JSON.stringify(versionId === undefined ? [key] : [key, versionId]);
}

/** An entry that nobody wants yet and nothing is known of. */
export function newEntry(key: string, versionId: string | undefined, dueAt: number): Entry {
  return { key, versionId, wants: new Map(), state: {}, dueAt, isDone: false };
}

/** The shortest interval of all who want it, in ms. */
export function intervalOf({ wants }: Entry): number {
  return Math.min(...wants.values());
}

/** What a survey has to know of these keys. */
export function knowledgeOf(entries: ReadonlyMap<string, Entry>): Knowledge {
  const stateOf = (key: string): KeyState => entries.get(key)?.state ?? {};
  return {
    judge(key, listed, sentAt) {
      const { failure } = stateOf(key);
      // A key that was missing before is believed to be missing still; the first time a HEAD has to confirm it.
      if (listed === undefined) return failure?.reason === 'NoSuchKey' ? { kind: 'failed', failure } : undefined;
      const fingerprint = fingerprintOf(listed);
      if (compare(stateOf(key), fingerprint) === 'same') return { kind: 'same' };
      notice(entries.get(key), fingerprint, sentAt);
      return undefined;
    },
    listedAt: (key, facts) => noticedAt(entries.get(key), facts),
    doubtedVersion: (key, facts) =>
      compare(stateOf(key), fingerprintOf(facts)) === 'older' ? stateOf(key).current?.artifact.versionId : undefined,
  };
}

function notice(entry: Entry | undefined, fingerprint: Fingerprint, at: number): void {
  if (entry !== undefined && !isSameVersion(entry.noticed?.fingerprint, fingerprint))
    entry.noticed = { fingerprint, at };
}

function noticedAt(entry: Entry | undefined, facts: ObjectFacts): number | undefined {
  return isSameVersion(entry?.noticed?.fingerprint, fingerprintOf(facts)) ? entry?.noticed?.at : undefined;
}

function isSameVersion(a: Fingerprint | undefined, b: Fingerprint): boolean {
  return a?.etag === b.etag && a.modified === b.modified;
}
