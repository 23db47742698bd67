// All that is watched of rows and answers, in one place: each API tells it of a request once, when the model has answered.
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { monotonicClock } from '../clock.ts';
import type { ServedModel } from '../model/served.ts';
import { ClassTally } from './class-tally.ts';
import { Drift } from './drift.ts';
import type { DriftOptions } from './drift.ts';

const NUMBERS_AT_ONCE = 32_768; // about half a millisecond

/** What the model said of some rows; the probabilities are taken where both are there. */
export interface Answers {
  /** As `Model.predict`. */
  readonly predictions?: Float64Array | undefined;
  /** As `Model.predictProba`. */
  readonly probabilities?: Float64Array | undefined;
}

export class ModelMonitor {
  readonly classes = new ClassTally();
  readonly drift: Drift | undefined;

  /** Without a window there is no drift. */
  constructor(drift?: Omit<DriftOptions, 'clock'>) {
    this.drift = drift !== undefined && drift.windowMs > 0 ? new Drift({ ...drift, clock: monotonicClock }) : undefined;
  }

  /** One row and its probabilities; `now` by `monotonicClock`, which costs as much as five features. */
  row(served: ServedModel, row: Float64Array, probabilities: Float64Array, now: number): void {
    this.classes.probabilities(served.model, probabilities);
    this.drift?.probabilities({ served, rows: row, count: 1, now }, probabilities);
  }

  /** Many rows (row-major); other requests get their turn in between. */
  async rows(served: ServedModel, rows: Float64Array, answers: Answers): Promise<void> {
    const { features } = served.model;
    const atOnce = Math.max(1, Math.floor(NUMBERS_AT_ONCE / features));
    const count = rows.length / features;
    for (let start = 0; start < count; start += atOnce) {
      if (start > 0) await yieldToRequests();
      const end = Math.min(start + atOnce, count);
      this.#some(served, rows.subarray(start * features, end * features), part(answers, start, end, count));
    }
  }

  #some(served: ServedModel, rows: Float64Array, { predictions, probabilities }: Answers): void {
    const observed = { served, rows, count: rows.length / served.model.features, now: monotonicClock() };
    if (probabilities !== undefined) {
      this.classes.probabilities(served.model, probabilities);
      this.drift?.probabilities(observed, probabilities);
      return;
    }
    if (predictions !== undefined) this.classes.predictions(served.model, predictions);
    this.drift?.predictions(observed, predictions ?? NONE);
  }
}

const NONE = new Float64Array();

function part({ predictions, probabilities }: Answers, start: number, end: number, count: number): Answers {
  const width = (probabilities?.length ?? 0) / count;
  return {
    predictions: predictions?.subarray(start, end),
    probabilities: probabilities?.subarray(start * width, end * width),
  };
}
