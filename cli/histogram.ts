// The second look at a column: each value is counted in its bin, by the server's own rule.
import { binsOf, slotOf } from '../inference/monitoring/bins.ts';
import type { Bins } from '../inference/monitoring/bins.ts';
import type { Histogram } from '../inference/monitoring/reference.ts';
import type { Said } from './cell.ts';
import type { Layout } from './summary.ts';

export class Counted {
  readonly #layout: Layout;
  readonly #bins: Bins;
  /** One for each bin, missing values, and what is in none. */
  readonly #counts: Float64Array;
  readonly #places: ReadonlyMap<string, number>;
  readonly #outside = new Float64Array(3);

  constructor(layout: Layout) {
    this.#layout = layout;
    const points =
      layout.kind === 'edges'
        ? layout.edges
        : layout.categories.map((value, at) => Number(layout.kind === 'texts' ? at : value));
    const bins = layout.kind === 'edges' ? points.length - 1 : points.length;
    const isCategorical = layout.kind !== 'edges';
    this.#bins = binsOf([{ points, isCategorical, counts: Array.from({ length: bins }, () => 1), missing: 0 }]);
    this.#counts = new Float64Array(bins + 2);
    this.#places = new Map(layout.kind === 'texts' ? layout.categories.map((text, at) => [text, at]) : []);
  }

  add(said: Said): void {
    const slot = slotOf(this.#bins, 0, this.#valueOf(said), this.#outside);
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  /** As `reference` of metadata.json has it. */
  histogram(): Histogram {
    const counts = [...this.#counts.subarray(0, -2)];
    const missing = this.#counts.at(-2) ?? 0;
    if (this.#layout.kind === 'edges') return { edges: [...this.#layout.edges], counts, missing };
    return { categories: [...this.#layout.categories], counts, missing };
  }

  #valueOf(said: Said): number {
    if (said === undefined) return NaN;
    return this.#layout.kind === 'texts' ? (this.#places.get(said.text) ?? -1) : (said.number ?? NaN);
  }
}
