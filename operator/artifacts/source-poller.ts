// Follows the keys of one source (store, bucket, region, credentials) for all resources that name it: one timer, one round at a time.
import type { ObjectFacts } from '../domain/artifact.ts';
import { jittered } from '../runtime/backoff.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { isOutage, isRefusal, StoreError, type StoreFailure } from './failure.ts';
import type { OpenSource, SourceOpener } from './opener.ts';
import type { BucketPressure } from './pressure.ts';
import type { ArtifactSource, Resolution } from './source.ts';
import { Survey, type Answer, type Knowledge } from './survey.ts';
import {
  compare,
  failed,
  found,
  printOf,
  resolutionOf,
  seenAgain,
  signature,
  type Print,
  type Track,
} from './track.ts';

export interface SourcePollerDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly opener: SourceOpener;
  readonly pressure: BucketPressure;
  /** What is known of something this resource wants has changed. */
  readonly onChange: (resource: string) => void;
  /** A bug: an error that is none of the store's. */
  readonly onError: (error: unknown) => void;
}

/** One key, or one version of it. Times are monotonic. */
interface Entry {
  readonly key: string;
  readonly versionId: string | undefined;
  /** Poll interval by resource. */
  readonly wants: Map<string, number>;
  track: Track;
  dueAt: number;
  /** The change that a List has shown and no HEAD has confirmed yet; `at` is epoch ms. */
  noticed?: { readonly print: Print; readonly at: number };
}

/** Resources come in bursts (start-up, a Git sync): their keys wait this long for each other. */
const GATHER_MS = 20;
const JITTER = 0.1;
/** A refusal rarely ends by itself; a new Secret or the reload annotation asks at once. */
const REFUSED_RETRY_MS = 300_000;

export class SourcePoller {
  readonly #source: ArtifactSource;
  readonly #deps: SourcePollerDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #open: (OpenSource & { readonly survey: Survey }) | undefined;
  #refresh = false;

  constructor(source: ArtifactSource, deps: SourcePollerDeps) {
    this.#source = source;
    this.#deps = deps;
  }

  get isIdle(): boolean {
    return this.#entries.size === 0;
  }

  /** Adds a key, or changes how often a resource wants it. */
  want(resource: string, key: string, versionId: string | undefined, intervalMs: number): void {
    const now = this.#deps.clock.monotonic();
    const id = entryId(key, versionId);
    const entry = this.#entries.get(id) ?? {
      key,
      versionId,
      wants: new Map<string, number>(),
      track: {},
      dueAt: now + GATHER_MS,
    };
    this.#entries.set(id, entry);
    if (entry.wants.get(resource) === intervalMs) return;
    entry.wants.set(resource, intervalMs);
    if (entry.dueAt !== Number.POSITIVE_INFINITY) entry.dueAt = Math.min(entry.dueAt, now + intervalMs);
    this.#schedule();
  }

  /** The resource no longer wants what `keep` does not name. */
  release(resource: string, keep: ReadonlySet<string>): void {
    for (const [id, entry] of this.#entries) {
      if (keep.has(id)) continue;
      entry.wants.delete(resource);
      if (entry.wants.size === 0) this.#entries.delete(id);
    }
    this.#schedule();
  }

  resolution(key: string, versionId: string | undefined): Resolution {
    const entry = this.#entries.get(entryId(key, versionId));
    return entry === undefined ? { kind: 'pending' } : resolutionOf(entry.track);
  }

  /** Asks for the resource's keys now, with credentials read anew; only the bucket's back-off still counts. */
  poke(resource: string): void {
    const now = this.#deps.clock.monotonic();
    for (const entry of this.#entries.values()) {
      if (!entry.wants.has(resource) || entry.dueAt === Number.POSITIVE_INFINITY) continue;
      entry.dueAt = now;
      this.#refresh = true;
    }
    this.#schedule();
  }

  /** Ends the timer and the calls in flight; resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopping.abort();
    await this.#round;
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#round !== undefined || this.#stopping.signal.aborted) return;
    const due = Math.min(...Array.from(this.#entries.values(), ({ dueAt }) => dueAt));
    if (due === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(due, this.#deps.pressure.notBefore) - this.#deps.clock.monotonic();
    this.#timer = this.#deps.clock.setTimer(Math.max(0, wait), () => this.#start());
  }

  #start(): void {
    this.#timer = undefined;
    const entries = this.#dueEntries();
    this.#round = this.#ask(entries)
      .catch((error: unknown) => {
        this.#retryLater(entries);
        if (!this.#stopping.signal.aborted) this.#deps.onError(error);
      })
      .finally(() => {
        this.#round = undefined;
        this.#schedule();
      });
  }

  /** What is due, and what would be before long: keys with the same interval soon share their rounds. */
  #dueEntries(): readonly Entry[] {
    const now = this.#deps.clock.monotonic();
    const isDue = (entry: Entry) =>
      entry.dueAt <= now || (entry.versionId === undefined && entry.dueAt - now < intervalOf(entry) / 2);
    return [...this.#entries.values()].filter(isDue);
  }

  async #ask(entries: readonly Entry[]): Promise<void> {
    const refresh = this.#refresh;
    this.#refresh = false;
    let answers = await this.#answersWith(entries, refresh);
    const refused = entries.filter((entry) => isRefusedAnswer(answers.get(entry)));
    if (refused.length > 0 && this.#source.credentialsSecret !== undefined && !refresh) {
      const before = this.#open?.identity;
      const again = await this.#answersWith(refused, true);
      if (this.#open?.identity !== before) answers = new Map([...answers, ...again]);
    }
    this.#take(entries, answers);
  }

  async #answersWith(entries: readonly Entry[], refresh: boolean): Promise<Map<Entry, Answer>> {
    const { signal } = this.#stopping;
    try {
      const open = await this.#deps.opener.open(this.#source, refresh, signal);
      if (this.#open?.identity !== open.identity) {
        this.#open = { ...open, survey: new Survey(open.reader, this.#deps.clock) };
      }
      return await answersFrom(this.#open.survey, entries, signal);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const { failure } = error;
      return new Map(entries.map((entry) => [entry, { kind: 'failed', failure }]));
    }
  }

  #take(entries: readonly Entry[], answers: ReadonlyMap<Entry, Answer>): void {
    const changed = new Set<string>();
    const factor = jittered(1000, JITTER, this.#deps.random) / 1000;
    let outage: StoreFailure | undefined;
    for (const entry of entries) {
      const answer = answers.get(entry);
      if (answer === undefined) continue;
      const before = signature(entry.track);
      entry.track = this.#next(entry, answer);
      entry.dueAt = this.#nextDue(entry, answer, factor);
      if (answer.kind === 'failed' && isOutage(answer.failure)) outage = answer.failure;
      if (signature(entry.track) !== before) for (const resource of entry.wants.keys()) changed.add(resource);
    }
    if (outage === undefined) this.#deps.pressure.succeeded();
    else this.#deps.pressure.failed(outage, this.#deps.clock.monotonic());
    for (const resource of changed) this.#deps.onChange(resource);
  }

  #next(entry: Entry, answer: Answer): Track {
    const now = this.#deps.clock.now();
    if (answer.kind === 'same') return seenAgain(entry.track);
    if (answer.kind === 'failed') return failed(entry.track, answer.failure, now);
    const { store, bucket = '' } = this.#source;
    return found(entry.track, { store, bucket, key: entry.key }, answer, now);
  }

  #nextDue(entry: Entry, answer: Answer, factor: number): number {
    if (entry.versionId !== undefined && answer.kind === 'found') return Number.POSITIVE_INFINITY;
    const interval = intervalOf(entry);
    const isSlow =
      answer.kind === 'failed' &&
      (answer.failure.reason === 'AccessDenied' || answer.failure.reason === 'UnknownStore');
    return this.#deps.clock.monotonic() + factor * (isSlow ? Math.max(interval, REFUSED_RETRY_MS) : interval);
  }

  #retryLater(entries: readonly Entry[]): void {
    for (const entry of entries) entry.dueAt = this.#deps.clock.monotonic() + Math.max(intervalOf(entry), 1000);
  }
}

/** Names a wanted key or version within its source. */
export function entryId(key: string, versionId: string | undefined): string {
  return JSON.stringify(versionId === undefined ? [key] : [key, versionId]);
}

function intervalOf({ wants }: Entry): number {
  return Math.min(...wants.values());
}

function isRefusedAnswer(answer: Answer | undefined): boolean {
  return answer?.kind === 'failed' && isRefusal(answer.failure);
}

async function answersFrom(
  survey: Survey,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<Map<Entry, Answer>> {
  const followed = new Map(
    entries.flatMap((entry) => (entry.versionId === undefined ? [[entry.key, entry] as const] : [])),
  );
  const byKey = await survey.ask([...followed.keys()], knowledgeOf(followed), signal);
  const answers = new Map<Entry, Answer>();
  for (const [key, answer] of byKey) {
    const entry = followed.get(key);
    if (entry !== undefined) answers.set(entry, answer);
  }
  for (const entry of entries) {
    if (entry.versionId !== undefined) answers.set(entry, await survey.askVersion(entry.key, entry.versionId, signal));
  }
  return answers;
}

function knowledgeOf(entries: ReadonlyMap<string, Entry>): Knowledge {
  const trackOf = (key: string): Track => entries.get(key)?.track ?? {};
  return {
    judge(key, listed, sentAt) {
      const { failure } = trackOf(key);
      // A key that was missing before is believed to be missing still; the first time a HEAD has to confirm it.
      if (listed === undefined) return failure?.reason === 'NoSuchKey' ? { kind: 'failed', failure } : undefined;
      const print = printOf(listed);
      if (compare(trackOf(key), print) === 'same') return { kind: 'same' };
      notice(entries.get(key), print, sentAt);
      return undefined;
    },
    listedAt: (key, facts) => noticedAt(entries.get(key), facts),
    doubtedVersion: (key, facts) =>
      compare(trackOf(key), printOf(facts)) === 'older' ? trackOf(key).current?.artifact.versionId : undefined,
  };
}

function notice(entry: Entry | undefined, print: Print, at: number): void {
  if (entry !== undefined && !isPrint(entry.noticed?.print, print)) entry.noticed = { print, at };
}

function noticedAt(entry: Entry | undefined, facts: ObjectFacts): number | undefined {
  return isPrint(entry?.noticed?.print, printOf(facts)) ? entry?.noticed?.at : undefined;
}

function isPrint(a: Print | undefined, b: Print): boolean {
  return a?.etag === b.etag && a.modified === b.modified;
}
