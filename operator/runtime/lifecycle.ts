// Orderly shutdown: what was started last is stopped first, each step in its turn, and the whole within a hard deadline.
import type { Clock } from './clock.ts';
import { withDeadline } from './clock.ts';

export interface ShutdownReport {
  readonly reason: string;
  readonly durationMs: number;
  /** Releasers that threw, or had not ended at the deadline. */
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
}

interface Releaser {
  readonly name: string;
  readonly release: (signal: AbortSignal) => Promise<void> | void;
}

/** The releasers of one process. */
export class Lifecycle {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #releasers: Releaser[] = [];
  readonly #stopping = new AbortController();
  #stopped: Promise<ShutdownReport> | undefined;

  /** `deadlineMs`: after so long `stop` returns whatever has not ended. */
  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /** Aborted as soon as the shutdown begins. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Registers how to undo what was just started. The signal it gets is aborted at the deadline. */
  onStop(name: string, release: Releaser['release']): void {
    this.#releasers.push({ name, release });
  }

  /** Runs the releasers, last registered first. Never rejects. Later calls get the report of the first. */
  stop(reason: string): Promise<ShutdownReport> {
    this.#stopped ??= this.#release(reason);
    return this.#stopped;
  }

  async #release(reason: string): Promise<ShutdownReport> {
    const start = this.#clock.monotonic();
    const deadline = withDeadline(this.#clock, this.#deadlineMs, new AbortController().signal);
    const failed: { name: string; error: unknown }[] = [];
    this.#stopping.abort(new Error(`shutting down: ${reason}`));
    for (let next = this.#releasers.pop(); next !== undefined; next = this.#releasers.pop()) {
      const { name, release } = next;
      await endOrAbort(release, deadline.signal).catch((error: unknown) => failed.push({ name, error }));
    }
    deadline.done();
    return { reason, durationMs: this.#clock.monotonic() - start, failed };
  }
}

/** Past the deadline the remaining releasers are still called, but not waited for. */
async function endOrAbort(release: Releaser['release'], signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([(async () => release(signal))(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
