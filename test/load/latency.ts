// Latencies in buckets of a tenth of a millisecond, so that a long run takes no more memory than a short one.

const BUCKETS_PER_MS = 10;
const BUCKETS = 10_000;

export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #max = 0;

  /** What takes longer than a second falls into the last bucket. */
  add(milliseconds: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(milliseconds * BUCKETS_PER_MS)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
    this.#max = Math.max(this.#max, milliseconds);
  }

  get max(): number {
    return this.#max;
  }

  /** The upper bound in ms of the bucket in which that share (0 to 1) of all is reached; 0 when there is nothing. */
  quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return Math.min(this.#max, (bucket + 1) / BUCKETS_PER_MS);
    }
    return 0;
  }
}
