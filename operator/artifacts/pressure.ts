// Back-off of one bucket, shared by all who ask it: an outage or a 503 seen by one spares the bucket the calls of the others.
import type { StoreFailure } from './failure.ts';

const BASE_MS = 1000;
const OUTAGE_CAP_MS = 60_000;
const THROTTLED_CAP_MS = 300_000;

/** Times are monotonic ms. */
export class BucketPressure {
  readonly #random: () => number;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** No call before this moment. */
  get notBefore(): number {
    return this.#notBefore;
  }

  /** Doubles the pause, between half of it and the whole, up to a minute for an outage and five for throttling. */
  failed({ reason }: StoreFailure, now: number): void {
    this.#failures += 1;
    const cap = reason === 'Throttled' ? THROTTLED_CAP_MS : OUTAGE_CAP_MS;
    const bound = Math.min(cap, BASE_MS * 2 ** Math.min(this.#failures, 20));
    this.#notBefore = now + bound * (0.5 + this.#random() / 2);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }
}
