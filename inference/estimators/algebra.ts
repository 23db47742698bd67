// The few operations on rows of numbers that most estimators are made of. Sums go from left to right: BLAS may add in another order, which is what the
// tolerance of 1e-12 is for.
import { arrayOf, elements, floatsOf } from '../formats/numpy.ts';
import type { Value } from '../formats/pickle-value.ts';
import type { Fitted } from './fitted.ts';
import { type Matrix, argmaxOfRows, checkNumbers } from './matrix.ts';

/** A linear map of rows: `outputs` times `columns` weights, row-major, and what is added to each output. */
export interface Affine {
  readonly weights: Float64Array<ArrayBuffer>;
  readonly bias: Float64Array<ArrayBuffer>;
}

/** Far above what training gives, far below what makes a sum infinite. */
const LARGEST = 1e100;

/** Numbers of exactly this shape to multiply, divide or add with. Throws ModelError for NaN and for what is beyond any trained number. */
export function weightsOf(fitted: Fitted, name: string, shape: readonly number[]): Float64Array<ArrayBuffer> {
  return weightsOfArray(fitted, { value: fitted.value(name), name, shape });
}

interface ArrayInside {
  readonly value: Value | undefined;
  /** Of the attribute that holds it. */
  readonly name: string;
  /** Absent: a row of any length. */
  readonly shape?: readonly number[];
}

/** As `weightsOf`, of an array anywhere. */
export function weightsOfArray(fitted: Fitted, { value, name, shape }: ArrayInside): Float64Array<ArrayBuffer> {
  const array = arrayOf(value);
  const wanted = shape ?? [elements(array.shape)];
  if (array.shape.join() !== wanted.join()) {
    throw fitted.damaged(`whose ${name} has the shape [${array.shape.join(', ')}] instead of [${wanted.join(', ')}]`);
  }
  fitted.reading.spend(elements(wanted) * 8);
  const weights = floatsOf(array);
  if (weights.every((weight) => Math.abs(weight) <= LARGEST)) return weights;
  throw fitted.damaged(`whose ${name} holds NaN, or numbers beyond ${LARGEST}`);
}

/** Throws ModelInputError for NaN and infinity, as scikit-learn's check_array. */
export function checkFiniteInput({ values }: Matrix): void {
  checkNumbers(values, { missing: false, dtype: 'float64' });
}

/** Throws ModelInputError for infinity only, as check_array with "allow-nan". */
export function checkNanInput({ values }: Matrix): void {
  checkNumbers(values, { missing: true, dtype: 'float64' });
}

/** `X @ weights.T + bias`: `bias.length` numbers a row. */
export function affine({ values, rows, columns }: Matrix, { weights, bias }: Affine): Float64Array<ArrayBuffer> {
  const outputs = bias.length;
  const made = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) {
      let sum = 0;
      const from = row * columns;
      const weight = output * columns;
      for (let at = 0; at < columns; at += 1) sum += (values[from + at] ?? 0) * (weights[weight + at] ?? 0);
      made[row * outputs + output] = sum + (bias[output] ?? 0);
    }
  }
  return made;
}

/** In place: each row of `width` numbers divided by its sum; equal shares where the sum is 0. */
export function normalizeRows(values: Float64Array<ArrayBuffer>, width: number): Float64Array<ArrayBuffer> {
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    const sum = row.reduce((total, value) => total + value, 0);
    if (sum === 0) row.fill(1 / width);
    else for (let at = 0; at < width; at += 1) row[at] = (row[at] ?? 0) / sum;
  }
  return values;
}

/** Index of the class that a decision is for: of two classes by the sign of the one number, else the first of the largest. */
export function classOfDecision(decision: Float64Array, width: number): Float64Array {
  if (width === 1) return Float64Array.from(decision, (value) => (value > 0 ? 1 : 0));
  return argmaxOfRows(decision, width);
}
