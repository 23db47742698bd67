// All that is watched of rows and answers, in one place: each API tells it of a request once, when the model has answered.
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { monotonicClock } from '../clock.ts';
import type { ServedModel } from '../model/served.ts';
import { ClassTally } from './class-tally.ts';
import { Drift } from './drift.ts';
import type { Answers, DriftOptions } from './drift.ts';

const NUMBERS_AT_ONCE = 32_768; // about half a millisecond

export class ModelMonitor {
  readonly classes = new ClassTally();
  readonly drift: Drift | undefined;
  /** The prediction of a single row. */
  readonly #prediction = new Float64Array(1);

  /** Without a window there is no drift. */
  constructor(drift?: Omit<DriftOptions, 'clock'>) {
    this.drift = drift !== undefined && drift.windowMs > 0 ? new Drift({ ...drift, clock: monotonicClock }) : undefined;
  }

  /** One row, its probabilities, and the class that was answered; `now` by `monotonicClock`, which costs as much as five features. */
  row(
    { served, row, now }: { readonly served: ServedModel; readonly row: Float64Array; readonly now: number },
    probabilities: Float64Array,
    predicted: number,
  ): void {
    this.#prediction[0] = predicted;
    this.#count(served, row, { predictions: this.#prediction, probabilities }, now);
  }

  /** Many rows (row-major); other requests get their turn in between. */
  async rows(served: ServedModel, rows: Float64Array, answers: Answers): Promise<void> {
    const { features } = served.model;
    const atOnce = Math.max(1, Math.floor(NUMBERS_AT_ONCE / features));
    const count = rows.length / features;
    for (let start = 0; start < count; start += atOnce) {
      if (start > 0) await yieldToRequests();
      const end = Math.min(start + atOnce, count);
      const some = rows.subarray(start * features, end * features);
      this.#count(served, some, part(answers, start, end, count), monotonicClock());
    }
  }

  #count(served: ServedModel, rows: Float64Array, answers: Answers, now: number): void {
    this.classes.add(served.model, answers);
    this.drift?.observe({ served, rows, count: rows.length / served.model.features, now }, answers);
  }
}

function part({ predictions, probabilities }: Answers, start: number, end: number, count: number): Answers {
  const width = (probabilities?.length ?? 0) / count;
  return {
    predictions: predictions?.subarray(start, end),
    probabilities: probabilities?.subarray(start * width, end * width),
  };
}
