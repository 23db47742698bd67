// The first look at a column: is it numbers or text, how few are the different values, and where are its quantiles? In constant memory.
import type { Said } from './cell.ts';
import { CliError } from './errors.ts';

/** Most bins and categories of a histogram. */
export const MAX_BINS = 100;
const SAMPLE = 20_000;

/** How the values of a column are to be put into bins. */
export type Layout =
  | { readonly kind: 'edges'; readonly edges: readonly number[] }
  | { readonly kind: 'numbers'; readonly categories: readonly number[] }
  | { readonly kind: 'texts'; readonly categories: readonly string[] };

export class Summary {
  readonly #name: string;
  readonly #numbers = new Set<number>();
  readonly #texts = new Set<string>();
  readonly #sample: number[] = [];
  readonly #random = generator();
  #count = 0;
  #min = Infinity;
  #max = -Infinity;
  #hasFlags = false;
  #firstText: { readonly text: string; readonly row: number } | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** @param row of the cell, from 0. Throws CliError for an infinite number. */
  add(said: Said, row: number): void {
    if (said === undefined) return;
    const { text, number, isFlag = false } = said;
    if (this.#texts.size <= MAX_BINS) this.#texts.add(text);
    this.#hasFlags ||= isFlag;
    if (number === undefined) this.#firstText ??= { text, row };
    else this.#addNumber(number, row);
  }

  /** Two values are categories, a few have a bin each, many are divided at their quantiles; texts are categories. Throws CliError. */
  ofFeature(bins: number): Layout {
    this.#checkEmpty();
    if (this.#firstText !== undefined) return this.#categories(this.#firstText);
    if (this.#numbers.size <= 2) return { kind: 'numbers', categories: this.#ascending() };
    return { kind: 'edges', edges: this.#numbers.size <= bins ? this.#between() : this.#quantiles(bins) };
  }

  /** Whole numbers, flags and texts are classes where there are not too many; else it is a value. Throws CliError. */
  ofLabel(bins: number): Layout {
    this.#checkEmpty();
    const text = this.#firstText ?? (this.#hasFlags ? { text: 'True', row: 0 } : undefined);
    if (text !== undefined) return this.#categories(text);
    const numbers = this.#ascending();
    if (numbers.length <= MAX_BINS && numbers.every(Number.isInteger)) return { kind: 'numbers', categories: numbers };
    return this.ofFeature(bins);
  }

  #addNumber(value: number, row: number): void {
    if (!Number.isFinite(value)) throw new CliError(`column ${this.#name}, row ${row + 1}: ${value} is not finite`);
    this.#count += 1;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    if (this.#numbers.size <= MAX_BINS) this.#numbers.add(value);
    // Algorithm R (Vitter 1985): every number so far has the same chance to be in the sample.
    if (this.#sample.length < SAMPLE) this.#sample.push(value);
    else {
      const at = Math.floor(this.#random() * this.#count);
      if (at < SAMPLE) this.#sample[at] = value;
    }
  }

  #checkEmpty(): void {
    if (this.#texts.size === 0) throw new CliError(`column ${this.#name} has no values: leave it out`);
  }

  #categories({ text, row }: { readonly text: string; readonly row: number }): Layout {
    if (this.#texts.size <= MAX_BINS) return { kind: 'texts', categories: [...this.#texts].sort() };
    throw new CliError(
      `column ${this.#name} is no number in row ${row + 1} (${JSON.stringify(text.slice(0, 40))}) and has more than ` +
        `${MAX_BINS} different values: mend it, or leave it out`,
    );
  }

  #ascending(): number[] {
    return [...this.#numbers].sort((a, b) => a - b);
  }

  /** One bin for each value: the edges are half-way between them, and at the least and the largest. */
  #between(): number[] {
    const values = this.#ascending();
    return [this.#min, ...values.slice(1).map((value, at) => ((values[at] ?? 0) + value) / 2), this.#max];
  }

  /** Bins with about the same number of values; fewer of them where a value is frequent. */
  #quantiles(bins: number): number[] {
    const sorted = Float64Array.from(this.#sample).sort();
    const inner = Array.from(
      { length: bins - 1 },
      (_, at) => sorted[Math.floor(((at + 1) / bins) * sorted.length)] ?? 0,
    );
    const within = inner.filter((edge) => edge > this.#min && edge < this.#max);
    return [this.#min, ...new Set(within), this.#max];
  }
}

/** Numbers from 0 to 1, the same ones in every run: mulberry32. */
function generator(): () => number {
  let state = 0x5f1d36a1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
