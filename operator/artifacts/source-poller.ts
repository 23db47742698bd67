// Follows the keys of one source (store, bucket, region, credentials) for all resources that name it: one timer, one round at a time.
import { jittered } from '../runtime/backoff.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { countedReader, type OnStoreCall } from './counted-reader.ts';
import { entryId, intervalOf, knowledgeOf, NEVER, newEntry, type Entry } from './entry.ts';
import { isOutage, isRefusal, StoreError } from './failure.ts';
import type { SourceOpener } from './opener.ts';
import type { BucketPressure } from './pressure.ts';
import type { ArtifactSource, Resolution } from './source.ts';
import { BucketSurvey, type Answer } from './bucket-survey.ts';
import { failed, found, resolutionOf, seenAgain, signature, type KeyState } from './key-state.ts';

export interface SourcePollerDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly opener: SourceOpener;
  readonly pressure: BucketPressure;
  /** What is known of something this resource wants has changed. */
  readonly onChange: (resource: string) => void;
  readonly onCall: OnStoreCall;
  /** A bug: an error that is none of the store's. */
  readonly onError: (error: unknown) => void;
}

/** Resources come in bursts (start-up, a Git sync): their keys wait this long for each other. */
const GATHER_MS = 20;
const JITTER = 0.1;
/** A refusal rarely ends by itself, and many stores log or bill each one. */
const REFUSED_RETRY_MS = 300_000;

/** The keys of one source and the one timer that asks for them. */
export class SourcePoller {
  readonly #source: ArtifactSource;
  readonly #deps: SourcePollerDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #timerAt = NEVER;
  #round: Promise<void> | undefined;
  #open: { readonly identity: string; readonly survey: BucketSurvey } | undefined;
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
    const entry = this.#entries.get(id) ?? newEntry(key, versionId, now + GATHER_MS);
    this.#entries.set(id, entry);
    if (entry.wants.get(resource) === intervalMs) return;
    entry.wants.set(resource, intervalMs);
    if (entry.isDone) return;
    entry.dueAt = Math.min(entry.dueAt, now + intervalMs);
    this.#schedule(entry.dueAt);
  }

  /** The resource no longer wants these. */
  release(resource: string, ids: Iterable<string>): void {
    for (const id of ids) {
      const entry = this.#entries.get(id);
      entry?.wants.delete(resource);
      if (entry?.wants.size === 0) this.#entries.delete(id);
    }
  }

  resolution(key: string, versionId: string | undefined): Resolution {
    const entry = this.#entries.get(entryId(key, versionId));
    return entry === undefined ? { kind: 'pending' } : resolutionOf(entry.state);
  }

  /** Asks for these now, with credentials read anew; only the bucket's back-off still counts. */
  poke(ids: Iterable<string>): void {
    const now = this.#deps.clock.monotonic();
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry === undefined || entry.isDone) continue;
      entry.dueAt = now;
      this.#refresh = true;
    }
    this.#schedule(now);
  }

  /** Ends the timer and the calls in flight; resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopping.abort();
    await this.#round;
  }

  /** Sets the timer for `due`, unless it is set for an earlier moment already. */
  #schedule(due: number): void {
    if (this.#round !== undefined || this.#stopping.signal.aborted || due >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = due;
    const wait = Math.max(0, due - this.#deps.clock.monotonic());
    this.#timer = this.#deps.clock.setTimer(wait, () => this.#start());
  }

  #start(): void {
    this.#timerAt = NEVER;
    const { pressure, clock } = this.#deps;
    const wait = pressure.enter(clock.monotonic());
    if (wait > 0) {
      this.#schedule(clock.monotonic() + wait);
      return;
    }
    const entries = this.#dueEntries();
    for (const entry of entries) entry.dueAt = NEVER;
    this.#round = this.#ask(entries)
      .catch((error: unknown) => {
        this.#retryLater(entries);
        if (!this.#stopping.signal.aborted) this.#deps.onError(error);
      })
      .finally(() => {
        pressure.leave();
        this.#round = undefined;
        this.#schedule(earliest(this.#entries.values()));
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
    let answers = await this.#answersFor(entries, refresh);
    const refused = entries.filter((entry) => isRefusedAnswer(answers.get(entry)));
    // The Secret may have changed since it was read: then what it holds now deserves a try at once.
    if (this.#open !== undefined && refused.length > 0 && !refresh && (await this.#hasOtherCredentials())) {
      answers = new Map([...answers, ...(await this.#answersFor(refused, false))]);
    }
    this.#take(entries, answers);
  }

  async #answersFor(entries: readonly Entry[], refresh: boolean): Promise<ReadonlyMap<Entry, Answer>> {
    try {
      return await answersFrom(await this.#surveyWith(refresh), entries, this.#stopping.signal);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const { failure } = error;
      return new Map(entries.map((entry) => [entry, { kind: 'failed', failure }]));
    }
  }

  async #hasOtherCredentials(): Promise<boolean> {
    const before = this.#open?.identity;
    try {
      await this.#surveyWith(true);
      return this.#open?.identity !== before;
    } catch (error) {
      if (error instanceof StoreError) return true;
      throw error;
    }
  }

  /** The survey on the credentials of now; other credentials get a new one, which tries again what the old ones were refused. */
  async #surveyWith(refresh: boolean): Promise<BucketSurvey> {
    const open = await this.#deps.opener.open(this.#source, refresh, this.#stopping.signal).catch((error: unknown) => {
      this.#open = undefined; // the Secret was read just now: reading it again at once cannot help
      throw error;
    });
    if (this.#open === undefined || this.#open.identity !== open.identity) {
      const survey = new BucketSurvey(countedReader(open.reader, this.#deps.onCall), this.#deps.clock);
      this.#open = { identity: open.identity, survey };
    }
    return this.#open.survey;
  }

  #take(entries: readonly Entry[], answers: ReadonlyMap<Entry, Answer>): void {
    const changed = new Set<string>();
    const factor = jittered(1000, JITTER, this.#deps.random) / 1000;
    for (const entry of entries) {
      const answer = answers.get(entry);
      if (answer === undefined) continue;
      const before = signature(entry.state);
      entry.state = this.#next(entry, answer);
      entry.isDone = entry.versionId !== undefined && answer.kind === 'found';
      // Earlier than never: a poke or a shorter interval came in while this was asked.
      if (!entry.isDone) entry.dueAt = Math.min(entry.dueAt, this.#nextDue(entry, answer, factor));
      if (signature(entry.state) !== before) for (const resource of entry.wants.keys()) changed.add(resource);
    }
    this.#judgeBucket([...answers.values()]);
    for (const resource of changed) this.#deps.onChange(resource);
  }

  #judgeBucket(answers: readonly Answer[]): void {
    const { pressure, clock } = this.#deps;
    const failures = answers.flatMap((answer) => (answer.kind === 'failed' ? [answer.failure] : []));
    const outage = failures.find(isOutage);
    if (outage !== undefined) pressure.failed(outage, clock.monotonic());
    else if (failures.length < answers.length || failures.some(({ reason }) => reason === 'NoSuchKey'))
      pressure.succeeded();
  }

  #next(entry: Entry, answer: Answer): KeyState {
    const now = this.#deps.clock.now();
    if (answer.kind === 'same') return seenAgain(entry.state);
    if (answer.kind === 'failed') return failed(entry.state, answer.failure, now);
    const { store, bucket = '' } = this.#source;
    return found(entry.state, { store, bucket, key: entry.key }, answer, now);
  }

  #nextDue(entry: Entry, answer: Answer, factor: number): number {
    const interval = intervalOf(entry);
    const isSlow =
      answer.kind === 'failed' &&
      (answer.failure.reason === 'AccessDenied' || answer.failure.reason === 'UnknownStore');
    return this.#deps.clock.monotonic() + factor * (isSlow ? Math.max(interval, REFUSED_RETRY_MS) : interval);
  }

  #retryLater(entries: readonly Entry[]): void {
    for (const entry of entries) entry.dueAt = this.#deps.clock.monotonic() + intervalOf(entry);
  }
}

function earliest(entries: Iterable<Entry>): number {
  let due = NEVER;
  for (const { dueAt } of entries) due = Math.min(due, dueAt);
  return due;
}

function isRefusedAnswer(answer: Answer | undefined): boolean {
  return answer?.kind === 'failed' && isRefusal(answer.failure);
}

async function answersFrom(
  survey: BucketSurvey,
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
