// Shows what long work is at and how long it may take: one line that changes on a terminal, a line now and then elsewhere.

/** Something is going on. Several steps may run at once; a step ends with `done`. */
export interface ProgressEvent {
  readonly step: string;
  /** 0 to 1, where it is known. */
  readonly fraction?: number;
  /** What the step is at, a few words. */
  readonly detail?: string;
  /** How long the whole step may take, from experience on two cores. */
  readonly expectedSeconds?: number;
  readonly done?: boolean;
}

export type OnProgress = (event: ProgressEvent) => void;

interface Running {
  readonly startedMs: number;
  printedMs: number;
  event: ProgressEvent;
}

export interface ProgressOutput {
  readonly write: (text: string) => void;
  readonly isTTY: boolean;
  readonly columns?: number;
}

const QUIET_MS = 10_000;
const CLEAR_LINE = '\r\u001b[2K';

/** `95` → `1 min 35 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${String(Math.round(seconds * 10) / 10)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${String(whole)} s`;
  const rest = whole % 60;
  return `${String(Math.floor(whole / 60))} min${rest === 0 ? '' : ` ${String(rest)} s`}`;
}

/** One step in words: `Compiling Kubernetes 42 % (1204 of 2841), 1 min 40 s of about 4 min`. */
export function describe(event: ProgressEvent, elapsedMs: number): string {
  const percent = event.fraction === undefined ? '' : ` ${String(Math.floor(event.fraction * 100))} %`;
  const detail = event.detail === undefined ? '' : ` (${event.detail})`;
  const elapsed = elapsedMs < 1000 ? '' : formatSeconds(elapsedMs / 1000);
  const expected = event.expectedSeconds === undefined ? '' : `about ${formatSeconds(event.expectedSeconds)}`;
  const time = [elapsed, expected].filter((part) => part !== '').join(' of ');
  return `${event.step}${percent}${detail}${time === '' ? '' : `, ${time}`}`;
}

/** Draws progress events. Nothing here reads a clock by itself: `tick` is to be called about once a second. */
export class ProgressDisplay {
  readonly #running = new Map<string, Running>();
  readonly #output: ProgressOutput;
  readonly #now: () => number;

  constructor(output: ProgressOutput, now: () => number) {
    this.#output = output;
    this.#now = now;
  }

  report(event: ProgressEvent): void {
    const known = this.#running.get(event.step);
    if (event.done === true) {
      this.#finish(event, known);
      return;
    }
    if (known !== undefined) {
      known.event = { ...known.event, ...event };
      return;
    }
    const nowMs = this.#now();
    this.#running.set(event.step, { startedMs: nowMs, printedMs: nowMs, event });
    if (this.#output.isTTY) this.#draw();
    else this.#output.write(`${describe(event, 0)} …\n`);
  }

  /** Redraws the line of a terminal; elsewhere prints what has been silent for ten seconds. */
  tick(): void {
    if (this.#output.isTTY) {
      this.#draw();
      return;
    }
    const nowMs = this.#now();
    for (const step of this.#running.values()) {
      if (nowMs - step.printedMs < QUIET_MS) continue;
      step.printedMs = nowMs;
      this.#output.write(`${describe(step.event, nowMs - step.startedMs)} …\n`);
    }
  }

  #finish(event: ProgressEvent, known: Running | undefined): void {
    this.#running.delete(event.step);
    const nowMs = this.#now();
    const seconds = (nowMs - (known?.startedMs ?? nowMs)) / 1000;
    const detail = event.detail === undefined ? '' : ` (${event.detail})`;
    const line = `${event.step}${detail}: ${formatSeconds(seconds)}\n`;
    this.#output.write(this.#output.isTTY ? `${CLEAR_LINE}${line}` : line);
    if (this.#output.isTTY) this.#draw();
  }

  #draw(): void {
    const nowMs = this.#now();
    const line = [...this.#running.values()].map((step) => describe(step.event, nowMs - step.startedMs)).join(' · ');
    this.#output.write(`${CLEAR_LINE}${line.slice(0, (this.#output.columns ?? 120) - 1)}`);
  }
}

/** Progress on standard error until `close` is called; does not keep the process alive. */
export function showProgress(): { readonly report: OnProgress; readonly close: () => void } {
  const { stderr } = process;
  const write = (text: string): void => void stderr.write(text);
  const display = new ProgressDisplay({ write, isTTY: stderr.isTTY, columns: stderr.columns }, Date.now);
  const timer = setInterval(() => display.tick(), stderr.isTTY ? 500 : 1000);
  timer.unref();
  const close = (): void => {
    clearInterval(timer);
    if (stderr.isTTY) write(CLEAR_LINE);
  };
  return { report: (event) => display.report(event), close };
}

/** Runs `work` as one step; the step ends whether it succeeds or not. */
export async function asStep<T>(onProgress: OnProgress, event: ProgressEvent, work: () => Promise<T>): Promise<T> {
  onProgress(event);
  let detail: string | undefined = 'failed';
  try {
    const result = await work();
    detail = undefined;
    return result;
  } finally {
    onProgress({ step: event.step, done: true, ...(detail !== undefined && { detail }) });
  }
}
