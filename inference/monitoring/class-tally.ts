// How often each class was the answer. The number of labels is bounded: what would be one more is counted as "other".
import { indexOfMax } from '../estimators/matrix.ts';
import type { Model } from '../model/model.ts';
import type { Answers } from './drift.ts';

const MAX_LABELS = 100;
export const OTHER = 'other';

interface Known {
  readonly model: Model;
  /** Place of each class in the counts. */
  readonly places: Int32Array;
}

export interface ClassCount {
  readonly label: string;
  readonly count: number;
}

export class ClassTally {
  readonly #labels = new Map<string, number>();
  readonly #counts = new Float64Array(MAX_LABELS + 1);
  #known: Known | undefined;

  /** Counts what was predicted; of probabilities alone the likeliest class. */
  add(model: Model, { predictions, probabilities }: Answers): void {
    if (predictions !== undefined) this.#addPredictions(model, predictions);
    else if (probabilities !== undefined) this.#addLikeliest(model, probabilities);
  }

  #addLikeliest(model: Model, probabilities: Float64Array): void {
    const { places } = this.#of(model);
    const width = places.length;
    for (let start = 0; start < probabilities.length; start += width) {
      this.#count(places[indexOfMax(probabilities, start, start + width)] ?? MAX_LABELS);
    }
  }

  /** Classes, clusters, inliers and outliers. The value of a regressor or ranker is no class. */
  #addPredictions(model: Model, predictions: Float64Array): void {
    const { task } = model;
    if (task === 'regressor' || task === 'ranker') return;
    const { places } = this.#of(model);
    for (const prediction of predictions) {
      this.#count(task === 'classifier' ? (places[prediction] ?? MAX_LABELS) : this.#placeOf(String(prediction)));
    }
  }

  /** Labels with their counts, in the order in which they were first seen. */
  read(): ClassCount[] {
    const labels = [...this.#labels].map(([label, at]) => ({ label, count: this.#counts[at] ?? 0 }));
    const other = this.#counts[MAX_LABELS] ?? 0;
    return other === 0 ? labels : [...labels, { label: OTHER, count: other }];
  }

  /** Hands over what has been counted since the last time. */
  take(): ClassCount[] {
    const taken = this.read().filter(({ count }) => count > 0);
    this.#counts.fill(0);
    return taken;
  }

  /** Adds what another thread has counted. */
  addCounts(counts: readonly ClassCount[]): void {
    for (const { label, count } of counts) {
      const at = label === OTHER ? MAX_LABELS : this.#placeOf(label);
      this.#counts[at] = (this.#counts[at] ?? 0) + count;
    }
  }

  #of(model: Model): Known {
    if (this.#known?.model === model) return this.#known;
    this.#known = { model, places: Int32Array.from(model.classes, (label) => this.#placeOf(String(label))) };
    return this.#known;
  }

  #placeOf(label: string): number {
    const known = this.#labels.get(label);
    if (known !== undefined) return known;
    if (this.#labels.size === MAX_LABELS) return MAX_LABELS;
    const at = this.#labels.size;
    this.#labels.set(label, at);
    return at;
  }

  #count(at: number): void {
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }
}
