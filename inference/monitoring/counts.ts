// What the requests of one thread add to. With several serving threads each has counts of its own, and hands over what has come together.
import type { ServedModel } from '../model/served.ts';
import type { ClassCount } from './class-tally.ts';
import type { DistributionCounts } from './distribution.ts';
import type { DriftCounts, DriftOptions } from './drift.ts';
import { ModelMonitor } from './monitor.ts';
import { Timing } from './timing.ts';

/** Plain data. */
export interface Taken {
  readonly served: number;
  readonly refused: number;
  readonly preprocess: DistributionCounts;
  readonly predict: DistributionCounts;
  readonly postprocess: DistributionCounts;
  readonly classes: readonly ClassCount[];
  readonly drift?: DriftCounts;
}

export class Counts {
  readonly preprocess = new Timing('request_preprocess_seconds', 'Time to read and check a request');
  readonly predict = new Timing('request_predict_seconds', 'Time to run the model');
  readonly postprocess = new Timing('request_postprocess_seconds', 'Time to write the answer');
  /** What is told of every row and its answer. */
  readonly monitor: ModelMonitor;
  #served = 0;
  #refused = 0;

  /** Without `drift` it is not watched. */
  constructor(drift?: Omit<DriftOptions, 'clock'>) {
    this.monitor = new ModelMonitor(drift);
  }

  /** Predictions answered with 200: requests, not rows. */
  get served(): number {
    return this.#served;
  }

  /** Predictions answered otherwise. */
  get refused(): number {
    return this.#refused;
  }

  success(): void {
    this.#served += 1;
  }

  failure(): void {
    this.#refused += 1;
  }

  /** Hands over what has been counted since the last time. */
  take(): Taken {
    const { preprocess, predict, postprocess, monitor } = this;
    const [served, refused] = [this.#served, this.#refused];
    [this.#served, this.#refused] = [0, 0];
    const drift = monitor.drift?.take();
    return {
      served,
      refused,
      preprocess: preprocess.take(),
      predict: predict.take(),
      postprocess: postprocess.take(),
      classes: monitor.classes.take(),
      ...(drift && { drift }),
    };
  }

  /** Adds what another thread has counted. `served`: the model that it was counted with, where that is still known. */
  add({ drift, ...taken }: Taken, served: ServedModel | undefined): void {
    this.#served += taken.served;
    this.#refused += taken.refused;
    for (const stage of ['preprocess', 'predict', 'postprocess'] as const) this[stage].add(taken[stage]);
    this.monitor.classes.addCounts(taken.classes);
    if (drift !== undefined) this.monitor.drift?.add(served, drift);
  }
}
