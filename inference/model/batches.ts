// Runs a model over many rows in batches of a few milliseconds, so that other requests get their turn in between. How many rows that is differs from
// model to model by a factor of a thousand: so it is measured.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Method } from './model.ts';

/** Rows of numbers, row-major. */
export interface Rows {
  readonly values: Float64Array;
  readonly count: number;
}

/** Longest time of one batch. Two of them and their request's JSON stay below 10 ms. */
const BATCH_MS = 3;
const FIRST_ROWS = 16;
const MOST_ROWS = 4096;

export class Batches {
  readonly #now: () => number;
  /** Milliseconds a row, by method. */
  readonly #paces = new WeakMap<Method, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The method's answer for all rows, row-major. `features`: numbers in a row. Throws what the method throws. */
  async run(method: Method, features: number, { values, count }: Rows): Promise<Float64Array> {
    if (count <= this.rowsAtOnce(method)) return this.#timed(method, values, count);
    const answers: Float64Array[] = [];
    for (let start = 0; start < count;) {
      await this.#turn();
      const end = Math.min(start + this.rowsAtOnce(method), count);
      answers.push(this.#timed(method, values.subarray(start * features, end * features), end - start));
      start = end;
    }
    return joined(answers);
  }

  /** Rows that take no longer than a batch may. */
  rowsAtOnce(method: Method): number {
    const pace = this.#paces.get(method);
    if (pace === undefined) return FIRST_ROWS;
    return Math.max(1, Math.min(MOST_ROWS, Math.floor(BATCH_MS / pace)));
  }

  #timed(method: Method, values: Float64Array, count: number): Float64Array {
    const start = this.#now();
    const answer = method(values, count);
    const pace = (this.#now() - start) / count;
    // One slow batch (a pause of the collector) says little about the next, so it counts half.
    const known = this.#paces.get(method);
    if (pace > 0 && count > 0) this.#paces.set(method, known === undefined ? pace : (known + pace) / 2);
    return answer;
  }

  /** Resolves once a turn of the event loop, for one caller at a time: several large requests do not add up to a long turn. */
  #turn(): Promise<unknown> {
    this.#last = this.#last.then(() => nextTurn());
    return this.#last;
  }
}

/** The parts, one after the other. */
export function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
