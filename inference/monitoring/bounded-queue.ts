// Work that may be left undone: what does not fit is dropped at once, and nobody ever waits for it.
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface QueueOptions<T> {
  /** Items that may wait, and their bytes. */
  readonly limit: { readonly items: number; readonly bytes: number };
  /** Items in work at a time. */
  readonly concurrency: number;
  /** Must not throw. `signal` ends with the process. */
  readonly work: (item: T, signal: AbortSignal) => Promise<void>;
}

interface Waiting<T> {
  readonly item: T;
  readonly bytes: number;
}

export class BoundedQueue<T> {
  readonly #options: QueueOptions<T>;
  readonly #ending = new AbortController();
  #waiting: Waiting<T>[] = [];
  #bytes = 0;
  #running = 0;
  #idle = Promise.withResolvers<undefined>();

  constructor(options: QueueOptions<T>) {
    this.#options = options;
  }

  /** Items that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Whether there was room. */
  push(item: T, bytes: number): boolean {
    const { limit, concurrency } = this.#options;
    if (this.#ending.signal.aborted || this.#waiting.length >= limit.items || this.#bytes + bytes > limit.bytes) {
      return false;
    }
    this.#waiting.push({ item, bytes });
    this.#bytes += bytes;
    if (this.#running < concurrency) {
      this.#running += 1;
      void this.#run();
    }
    return true;
  }

  /** Gives what is there so long (0: no time at all), then drops it. Resolves when nothing is in work. */
  async close(limitMs: number): Promise<void> {
    if (limitMs === 0) this.#end();
    const timer = setTimeout(() => this.#end(), limitMs);
    if (this.#running > 0) await this.#idle.promise;
    clearTimeout(timer);
    this.#end();
  }

  #end(): void {
    this.#waiting = [];
    this.#ending.abort();
  }

  /** The turn of the requests comes between any two items. */
  async #run(): Promise<void> {
    await nextTurn();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#bytes -= next.bytes;
      await this.#options.work(next.item, this.#ending.signal);
      await nextTurn();
    }
    this.#running -= 1;
    if (this.#running > 0) return;
    this.#idle.resolve(undefined);
    this.#idle = Promise.withResolvers();
  }
}
