// How long something takes, as a histogram for Prometheus.
import { Distribution, histogramHead } from './distribution.ts';
import type { DistributionCounts } from './distribution.ts';

/** Upper bounds in seconds. They begin at 50 µs: a prediction takes less than the 5 ms at which Prometheus' own defaults begin. */
const BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export class Timing {
  readonly #name: string;
  readonly #help: string;
  readonly #seconds = new Distribution(BOUNDS);

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  observe(seconds: number): void {
    this.#seconds.observe(seconds);
  }

  /** Hands over what has been counted since the last time. */
  take(): DistributionCounts {
    return this.#seconds.take();
  }

  /** Adds what another thread has counted. */
  add(counts: DistributionCounts): void {
    this.#seconds.add(counts);
  }

  /** In Prometheus' text format, without a blank line at the end. */
  text(modelName: string): string {
    return histogramHead(this.#name, this.#help) + this.#seconds.series(this.#name, 'model_name', modelName);
  }
}
