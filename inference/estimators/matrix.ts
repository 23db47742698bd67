// Rows of numbers, and the few things that every estimator does with them.
import { ModelInputError } from '../model/errors.ts';

/** Row-major: `rows` times `columns` numbers. */
export interface Matrix {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** What scikit-learn's check_array lets through. */
export interface Allowed {
  /** NaN stands for a missing value. */
  readonly missing: boolean;
  /** What the estimator has rounded its input to: named in the message. */
  readonly dtype: 'float32' | 'float64';
}

/** Whether there is NaN among the numbers. Throws ModelInputError with scikit-learn's messages. */
export function checkNumbers(numbers: Float32Array | Float64Array, { missing, dtype }: Allowed): boolean {
  let hasMissing = false;
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] ?? 0;
    if (Number.isFinite(number)) continue;
    if (!Number.isNaN(number)) {
      throw new ModelInputError(`Input X contains infinity or a value too large for dtype('${dtype}').`);
    }
    hasMissing = true;
  }
  if (hasMissing && !missing) throw new ModelInputError('Input X contains NaN.');
  return hasMissing;
}

/** Position of the first of the largest numbers from `start` up to `end`, counted from `start`, as numpy's argmax. */
export function indexOfMax(values: Float64Array, start = 0, end = values.length): number {
  let best = start;
  for (let at = start + 1; at < end; at += 1) if ((values[at] ?? 0) > (values[best] ?? 0)) best = at;
  return best - start;
}

/** indexOfMax of every row of `width` numbers. */
export function argmaxOfRows(values: Float64Array, width: number): Float64Array {
  return Float64Array.from({ length: values.length / width }, (_, row) =>
    indexOfMax(values, row * width, (row + 1) * width),
  );
}

/** Some columns, in the order given. */
export function columnsOf({ values, rows, columns }: Matrix, places: readonly number[]): Matrix {
  const width = places.length;
  const made = new Float64Array(rows * width);
  for (let row = 0; row < rows; row += 1) {
    for (let at = 0; at < width; at += 1) made[row * width + at] = values[row * columns + (places[at] ?? 0)] ?? 0;
  }
  return { values: made, rows, columns: width };
}

/** One row as often as told. */
export function repeatedRow(row: Float64Array, rows: number): Float64Array<ArrayBuffer> {
  const repeated = new Float64Array(rows * row.length);
  for (let at = 0; at < repeated.length; at += row.length) repeated.set(row, at);
  return repeated;
}
