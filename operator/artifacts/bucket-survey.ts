// A survey is one round of questions about many keys of a bucket: Lists where they pay, HEADs for what changed and for the rest.
import type { ObjectFacts } from '../domain/artifact.ts';
import type { Clock } from '../runtime/clock.ts';
import { compareKeys, justBefore, planCalls, type Call } from './coverage.ts';
import { isOutage, StoreError, type StoreFailure } from './failure.ts';
import type { ListedObject, Page, StoreReader } from './reader.ts';
import type { Found } from './key-state.ts';

export type Answer =
  | { readonly kind: 'same' }
  | ({ readonly kind: 'found' } & Found)
  | { readonly kind: 'failed'; readonly failure: StoreFailure };

/** What the survey has to know of the keys' present state. */
export interface Knowledge {
  /** The answer that a List's entry (undefined: none) gives by itself; undefined when only a HEAD can tell. */
  judge(key: string, listed: ListedObject | undefined, sentAt: number): Answer | undefined;
  /** When a List first showed this version; undefined when none has. */
  listedAt(key: string, facts: ObjectFacts): number | undefined;
  /** The VersionId known so far, when an answer looks older than it. */
  doubtedVersion(key: string, facts: ObjectFacts): string | undefined;
}

/** How long a folder that cannot be listed, or is too full to be worth it, is left alone. */
const UNLISTABLE_MS = 3_600_000;
/** A page that answers for fewer keys costs more than the HEADs it saves. */
const WORTHWHILE = 2;
const CALLS_AT_ONCE = 4;

/** Asks one bucket with one identity, and remembers which folders are not worth a List. */
export class BucketSurvey {
  readonly #reader: StoreReader;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  /** Folder → until when (monotonic). */
  readonly #unlistable = new Map<string, number>();

  constructor(reader: StoreReader, clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /**
   * One answer for each key. What concerns the whole bucket (outage, throttling, no such bucket, bad credentials) ends the round: the keys that
   * are still open share that failure. Throws only when `signal` is aborted.
   */
  async ask(keys: readonly string[], known: Knowledge, signal: AbortSignal): Promise<ReadonlyMap<string, Answer>> {
    const answers = new Map<string, Answer>();
    try {
      let open = keys;
      while (open.length > 0) {
        const calls = planCalls(open, (prefix) => this.#canList(prefix));
        open = await this.#run(calls, known, answers, signal);
      }
    } catch (error) {
      const failure = failureOf(error);
      for (const key of keys) if (!answers.has(key)) answers.set(key, { kind: 'failed', failure });
    }
    return answers;
  }

  /** The answer for one pinned version. */
  async askVersion(key: string, versionId: string, signal: AbortSignal): Promise<Answer> {
    const sentAt = this.#clock.now();
    try {
      return { kind: 'found', facts: await this.#reader.head({ key, versionId }, signal), listedAt: sentAt };
    } catch (error) {
      return { kind: 'failed', failure: failureOf(error) };
    }
  }

  /** Makes the calls; returns the keys that a List turned out not to cover. Throws StoreError when the bucket as a whole fails. */
  async #run(
    calls: readonly Call[],
    known: Knowledge,
    answers: Map<string, Answer>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const open: string[] = [];
    const heads = calls.flatMap((call) => (call.kind === 'head' ? [call.key] : []));
    for (const call of calls) {
      if (call.kind !== 'list') continue;
      const { left, changed } = await this.#list(call.prefix, call.keys, known, answers, signal);
      open.push(...left);
      heads.push(...changed);
    }
    await this.#headAll(heads, known, answers, signal);
    return open;
  }

  /** A few at a time; the first outage ends them all. */
  async #headAll(
    keys: readonly string[],
    known: Knowledge,
    answers: Map<string, Answer>,
    signal: AbortSignal,
  ): Promise<void> {
    const queue = [...keys];
    const worker = async () => {
      try {
        for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
          answers.set(key, await this.#head(key, known, signal));
        }
      } catch (error) {
        queue.length = 0;
        throw error;
      }
    };
    await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, keys.length) }, worker));
  }

  async #list(
    prefix: string,
    keys: readonly string[],
    known: Knowledge,
    answers: Map<string, Answer>,
    signal: AbortSignal,
  ): Promise<{ left: readonly string[]; changed: readonly string[] }> {
    const changed: string[] = [];
    let left = keys;
    while (left.length > 0) {
      const sentAt = this.#clock.now();
      const page = await this.#page({ prefix, startAfter: justBefore(left[0] ?? '') }, signal);
      const covered = page === undefined ? [] : coveredBy(page, left);
      for (const key of covered) {
        const answer = known.judge(key, page?.objects.get(key), sentAt);
        if (answer === undefined) changed.push(key);
        else answers.set(key, answer);
      }
      left = left.slice(covered.length);
      if (left.length > 0 && covered.length < WORTHWHILE) {
        this.#noteUnlistable(prefix);
        break;
      }
    }
    return { left, changed };
  }

  /** A page of the folder; undefined when it may not be listed. */
  async #page(request: Parameters<StoreReader['list']>[0], signal: AbortSignal): Promise<Page | undefined> {
    try {
      return await this.#reader.list(request, signal);
    } catch (error) {
      if (failureOf(error).reason !== 'AccessDenied') throw error;
      return undefined;
    }
  }

  async #head(key: string, known: Knowledge, signal: AbortSignal): Promise<Answer> {
    const sentAt = this.#clock.now();
    try {
      const facts = await this.#reader.head({ key }, signal);
      const doubted = known.doubtedVersion(key, facts);
      const knownIsGone = doubted !== undefined && (await this.#isGone(key, doubted, signal));
      return { kind: 'found', facts, listedAt: known.listedAt(key, facts) ?? sentAt, knownIsGone };
    } catch (error) {
      const failure = failureOf(error);
      if (isOutage(failure)) throw error;
      return { kind: 'failed', failure: await this.#whyMissing(key, failure, signal) };
    }
  }

  async #isGone(key: string, versionId: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#reader.head({ key, versionId }, signal);
      return false;
    } catch (error) {
      const failure = failureOf(error);
      if (isOutage(failure)) throw error;
      return failure.reason === 'NoSuchKey';
    }
  }

  /** A HEAD's answer has no body: only a List can tell a missing bucket from a missing key. */
  async #whyMissing(key: string, failure: StoreFailure, signal: AbortSignal): Promise<StoreFailure> {
    if (failure.reason !== 'NoSuchKey' || !this.#reader.canList) return failure;
    try {
      await this.#reader.list({ prefix: key, startAfter: '' }, signal);
      return failure;
    } catch (error) {
      const reason = failureOf(error);
      return reason.reason === 'NoSuchBucket' ? reason : failure;
    }
  }

  #noteUnlistable(prefix: string): void {
    const now = this.#clock.monotonic();
    for (const [other, until] of this.#unlistable) if (until <= now) this.#unlistable.delete(other);
    this.#unlistable.set(prefix, now + UNLISTABLE_MS);
  }

  #canList(prefix: string): boolean {
    return this.#reader.canList && (this.#unlistable.get(prefix) ?? -Infinity) <= this.#clock.monotonic();
  }
}

/** The failure in a StoreError; anything else is not the store's and is thrown on. */
function failureOf(error: unknown): StoreFailure {
  if (error instanceof StoreError) return error.failure;
  throw error;
}

/** The keys that a page answers for: all up to its last key, or all when nothing follows it. */
function coveredBy(page: Page, keys: readonly string[]): readonly string[] {
  const { last } = page;
  if (!page.truncated) return keys;
  return last === undefined ? [] : keys.filter((key) => compareKeys(key, last) <= 0);
}
