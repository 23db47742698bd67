// A clock that stands still until a test moves it.
import type { Clock, Timer } from '../../operator/runtime/clock.ts';
import { sleepWith } from '../../operator/runtime/clock.ts';

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  readonly #timers = new Set<Pending>();
  #elapsed = 0;
  /** What `now()` shows when nothing has elapsed; set it to make the machine's clock jump without the monotonic one. */
  epoch: number;

  constructor(epoch = Date.parse('2026-01-02T03:04:05.000Z')) {
    this.epoch = epoch;
  }

  now(): number {
    return this.epoch + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal);
  }

  setTimer(ms: number, callback: () => void): Timer {
    const pending = { at: this.#elapsed + Math.max(0, ms), callback };
    this.#timers.add(pending);
    return { cancel: () => this.#timers.delete(pending) };
  }

  /** Delays from now of the timers that are waiting, shortest first. */
  get pending(): readonly number[] {
    return [...this.#timers].map(({ at }) => at - this.#elapsed).sort((a, b) => a - b);
  }

  /** Moves on by `ms`, fires what is due in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.callback();
      await settle();
    }
    this.#elapsed = end;
  }

  /** Lets time pass without any timer firing, as when the process was stopped. They fire with the next `advance`. */
  freeze(ms: number): void {
    this.#elapsed += ms;
  }

  #due(end: number): Pending | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** Lets everything run that needs no more time: promises, and I/O that is ready. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for I/O on loopback: until `condition` holds. Throws after about 5 s of real time. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 5000) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
