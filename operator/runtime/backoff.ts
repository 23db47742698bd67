// Exponential back-off with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter").

export interface Backoff {
  /** Upper bound of the first delay, in ms. */
  readonly baseMs: number;
  /** Upper bound of every delay, in ms. */
  readonly capMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Milliseconds to wait before attempt `failures + 1`: uniform between 0 and min(cap, base * 2^(failures - 1)). `failures` counts from 1. */
export function backoffDelay(failures: number, { baseMs, capMs, random }: Backoff): number {
  const bound = Math.min(capMs, baseMs * 2 ** Math.max(0, failures - 1));
  return Math.round(random() * bound);
}

/** `ms` plus or minus at most `fraction` of it: keeps many timers from firing together. */
export function jittered(ms: number, fraction: number, random: () => number): number {
  return Math.round(ms * (1 + fraction * (2 * random() - 1)));
}
