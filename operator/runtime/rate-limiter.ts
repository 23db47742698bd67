// A token bucket (as GCRA, the generic cell rate algorithm of ITU-T I.371) whose rate halves when the server says "too many" and recovers slowly.
import type { Clock } from './clock.ts';

export interface RateLimiterOptions {
  readonly clock: Clock;
  readonly perSecond: number;
  /** So many at once after a rest. */
  readonly burst: number;
}

/** The rate never falls below this part of the configured one. */
const LEAST_SHARE = 1 / 32;
/** Part of the configured rate that each success gives back. */
const RECOVERY = 1 / 50;
/** Refusals of requests that were under way at the same time. */
const TOGETHER_MS = 1000;

/** The turns of one client at one server. */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  /** When the bucket would be full again, on the monotonic clock. */
  #fullAt = -Infinity;
  #share = 1;
  #halvedAt = -Infinity;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
  }

  /** Requests a second that are let through at present. */
  get perSecond(): number {
    return this.#options.perSecond * this.#share;
  }

  /** Waits for a turn, first come first served. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<void> {
    const { clock, burst } = this.#options;
    const now = clock.monotonic();
    const interval = 1000 / this.perSecond;
    const start = Math.max(this.#fullAt, now);
    this.#fullAt = start + interval;
    const waitMs = start - now - (burst - 1) * interval;
    if (waitMs > 0) await clock.sleep(waitMs, signal);
  }

  /** The server asked for a pause of `ms`: nothing more until then, and half the rate afterwards. Refusals that come together count once. */
  throttle(ms: number): void {
    const { clock, burst } = this.#options;
    const now = clock.monotonic();
    if (now - this.#halvedAt >= TOGETHER_MS) {
      this.#halvedAt = now;
      this.#share = Math.max(LEAST_SHARE, this.#share / 2);
    }
    const empty = now + ms + (burst - 1) * (1000 / this.perSecond);
    this.#fullAt = Math.max(this.#fullAt, empty);
  }

  /** The server took a request: the rate recovers a little. */
  recover(): void {
    this.#share = Math.min(1, this.#share + RECOVERY);
  }
}
