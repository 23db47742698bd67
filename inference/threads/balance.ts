// The kernel divides new connections between the threads by chance, and a client keeps its own for long: of a few connections most may be on one thread.
// That one then asks some clients to come back, which another throw of the dice follows. Pure.

export interface Load {
  /** Share of the time that the thread was at work, 0 to 1. */
  readonly busy: number;
  readonly connections: number;
}

/** Below that nobody waits long, whoever does the work. */
const BUSY = 0.5;
const APART = 0.2;

/** How many connections each thread has too many. */
export function surplusOf(loads: readonly Load[]): readonly number[] {
  const shares = loads.map(({ busy }) => busy);
  const most = Math.max(...shares);
  if (most < BUSY || most - Math.min(...shares) < APART) return loads.map(() => 0);
  const mean = shares.reduce((sum, share) => sum + share, 0) / loads.length;
  return loads.map(({ busy, connections }) => {
    if (busy <= mean) return 0;
    // The work of a single connection cannot be divided.
    return Math.max(0, Math.min(connections - 1, Math.round(connections * (1 - mean / busy))));
  });
}
