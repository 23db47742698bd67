// Counts over the last while: a ring of buckets, each for a part of the time. Counting touches one array; the sum is made when somebody asks.
import { addTo } from './sums.ts';

const BUCKETS = 12;

export class SlidingCounts {
  readonly #slots: number;
  readonly #bucketMs: number;
  readonly #ring: readonly Float64Array[];
  #at = 0;
  #endsAt: number;

  /** @param windowMs the oldest of the counts is that old, give or take a twelfth */
  constructor(slots: number, windowMs: number, now: number) {
    this.#slots = slots;
    this.#bucketMs = windowMs / BUCKETS;
    this.#ring = Array.from({ length: BUCKETS }, () => new Float64Array(slots));
    this.#endsAt = now + this.#bucketMs;
  }

  /** The array to count in at this time: slots begin at 0. */
  current(now: number): Float64Array {
    if (now >= this.#endsAt) this.#advance(now);
    return this.#ring[this.#at] ?? new Float64Array(this.#slots);
  }

  /** The counts of the whole window. */
  sum(now: number): Float64Array {
    this.current(now);
    const total = new Float64Array(this.#slots);
    for (const bucket of this.#ring) addTo(total, bucket);
    return total;
  }

  /** Hands over the counts of the whole window, which is empty then. */
  take(now: number): Float64Array {
    const taken = this.sum(now);
    for (const bucket of this.#ring) bucket.fill(0);
    return taken;
  }

  #advance(now: number): void {
    const steps = Math.floor((now - this.#endsAt) / this.#bucketMs) + 1;
    for (let step = 0; step < Math.min(steps, BUCKETS); step += 1) {
      this.#at = (this.#at + 1) % BUCKETS;
      this.#ring[this.#at]?.fill(0);
    }
    this.#endsAt += steps * this.#bucketMs;
  }
}
