// Keys that want to be looked at, with the semantics of client-go's work queue: a key waits once however often it is added, is never
// worked on twice at a time, and an add while it is being worked on means exactly one more run afterwards.
import type { Backoff } from './backoff.ts';
import { backoffDelay } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';
import { FairQueue } from './fair-queue.ts';

/** What a person changed goes before resync and retries. */
export type Priority = 'user' | 'bulk';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** For keys that failed: 1 s doubling to 5 min is the rule. */
  readonly backoff: Backoff;
  /** Keys of one group share a turn. Default: what stands before the first slash, the namespace. */
  readonly groupOf?: (key: string) => string;
}

export interface QueueDepth {
  readonly queued: number;
  readonly delayed: number;
  readonly processing: number;
  /** Keys whose last run failed. */
  readonly failing: number;
}

interface Delayed {
  readonly at: number;
  readonly priority: Priority;
  readonly timer: Timer;
}

/** After so many keys in a row from `user`, one from `bulk` gets its turn. */
const BULK_TURN = 10;

/** The keys of one controller, for any number of workers. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #queued: Readonly<Record<Priority, FairQueue>>;
  readonly #delayed = new Map<string, Delayed>();
  readonly #processing = new Set<string>();
  /** Added while being processed. */
  readonly #again = new Map<string, Priority>();
  readonly #failures = new Map<string, number>();
  readonly #waiting: ((key: string | undefined) => void)[] = [];
  #idle = Promise.withResolvers<undefined>();
  #closed = false;
  #inARow = 0;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    const groupOf = options.groupOf ?? namespaceOf;
    this.#queued = { user: new FairQueue(groupOf), bulk: new FairQueue(groupOf) };
  }

  /** Wants `key` to be worked on as soon as a worker is free. Ignored after `shutDown`. */
  add(key: string, priority: Priority = 'user'): void {
    if (this.#closed) return;
    if (this.#processing.has(key)) {
      if (this.#again.get(key) !== 'user') this.#again.set(key, priority);
      return;
    }
    if (priority === 'user') this.#queued.bulk.remove(key);
    if (!this.#queued.user.has(key)) this.#queued[priority].push(key);
    this.#handOut();
  }

  /** Adds `key` after `delayMs`. Of several delays for one key the earliest holds. */
  addAfter(key: string, delayMs: number, priority: Priority = 'bulk'): void {
    if (this.#closed) return;
    const at = this.#options.clock.monotonic() + delayMs;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.at <= at) return;
    pending?.timer.cancel();
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key, priority);
    });
    this.#delayed.set(key, { at, priority, timer });
  }

  /** Adds `key` after its own back-off, which grows with every call until `forget`. Returns the delay in ms. */
  addFailed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = backoffDelay(failures, this.#options.backoff);
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key succeeded (or is gone): its next failure starts from the shortest delay again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, which stays this caller's until `done(key)`; undefined once the queue is shut down. */
  get(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#handOut();
    });
  }

  /** Ends the work on a key that `get` gave. */
  done(key: string): void {
    if (!this.#processing.delete(key)) return;
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.add(key, again);
    if (this.#closed && this.#processing.size === 0) this.#idle.resolve(undefined);
  }

  /** Hands out nothing any more. Resolves when the keys being worked on are done. Idempotent. */
  async shutDown(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    if (this.#processing.size === 0) this.#idle.resolve(undefined);
    await this.#idle.promise;
  }

  depth(): QueueDepth {
    const { user, bulk } = this.#queued;
    return {
      queued: user.size + bulk.size,
      delayed: this.#delayed.size,
      processing: this.#processing.size,
      failing: this.#failures.size,
    };
  }

  #handOut(): void {
    while (this.#waiting.length > 0) {
      const key = this.#next();
      if (key === undefined) return;
      this.#processing.add(key);
      this.#waiting.shift()?.(key);
    }
  }

  #next(): string | undefined {
    const { user, bulk } = this.#queued;
    const bulkFirst = user.size === 0 || this.#inARow >= BULK_TURN;
    const key = bulkFirst ? (bulk.shift() ?? user.shift()) : user.shift();
    this.#inARow = bulkFirst ? 0 : this.#inARow + 1;
    return key;
  }
}

/**
 * Works on the keys of `queue`, `workers` at a time. Resolves when the queue is shut down and the running work has ended.
 * `work` decides itself what a failure means; what it throws all the same goes to `onBug` and the key is retried with back-off.
 */
export async function runWorkers(
  queue: WorkQueue,
  workers: number,
  work: (key: string) => Promise<void>,
  onBug: (error: unknown, key: string) => void,
): Promise<void> {
  const worker = async () => {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      try {
        await work(key);
      } catch (error) {
        onBug(error, key);
        queue.addFailed(key);
      } finally {
        queue.done(key);
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

function namespaceOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? '' : key.slice(0, slash);
}
