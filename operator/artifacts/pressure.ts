// Back-off of one bucket, shared by all who ask it: an outage or a 503 seen by one spares the bucket the calls of the others.
import { backoffDelay } from '../runtime/backoff.ts';
import type { StoreFailure } from './failure.ts';

const FIRST_MS = 2000;
const OUTAGE_CAP_MS = 60_000;
const THROTTLED_CAP_MS = 300_000;

/** While one source tries whether the bucket is back, the others look again after this long. */
const PROBE_MS = 1000;

/** Times are monotonic ms. */
export class BucketPressure {
  readonly #random: () => number;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #isProbed = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How long a round has to wait; 0: it may start, and must be ended with `leave`. After a failure only one at a time may try. */
  enter(now: number): number {
    if (now < this.#notBefore) return this.#notBefore - now;
    if (this.#failures === 0) return 0;
    if (this.#isProbed) return PROBE_MS;
    this.#isProbed = true;
    return 0;
  }

  leave(): void {
    this.#isProbed = false;
  }

  /** Doubles the pause, between half of it and the whole, up to a minute for an outage and five for throttling. */
  failed({ reason }: StoreFailure, now: number): void {
    this.#failures += 1;
    const capMs = reason === 'Throttled' ? THROTTLED_CAP_MS : OUTAGE_CAP_MS;
    // Never less than half: with full jitter a bucket that is down could be asked again at once.
    const random = () => 0.5 + this.#random() / 2;
    this.#notBefore = now + backoffDelay(this.#failures, { baseMs: FIRST_MS, capMs, random });
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }
}
