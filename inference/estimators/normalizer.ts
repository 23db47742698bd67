// Transformers of scikit-learn that learn nothing: rows of length 1, and cells that are 1 above a threshold and 0 else.
import { checkFiniteInput } from './algebra.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Matrix } from './matrix.ts';

const NORMS = ['l1', 'l2', 'max'] as const;
type Norm = (typeof NORMS)[number];
/** Shorter rows stay as they are. */
const SHORTEST = 10 * 2 ** -52;

export interface NormalizerPart extends TransformerPart {
  readonly kind: 'normalizer';
  readonly norm: Norm;
}

export interface BinarizerPart extends TransformerPart {
  readonly kind: 'binarizer';
  readonly threshold: number;
}

export const normalizer: Definition<NormalizerPart> = {
  kind: 'normalizer',
  names: ['sklearn.preprocessing._data.Normalizer'],
  read: (fitted) => ({
    kind: 'normalizer',
    modelType: fitted.name,
    outputs: fitted.columns,
    norm: fitted.oneOf('norm', NORMS),
  }),
  compile: ({ norm }) => ({ transform: (input) => normalized(input, norm) }),
};

export const binarizer: Definition<BinarizerPart> = {
  kind: 'binarizer',
  names: ['sklearn.preprocessing._data.Binarizer'],
  read: (fitted) => ({
    kind: 'binarizer',
    modelType: fitted.name,
    outputs: fitted.columns,
    threshold: fitted.number('threshold'),
  }),
  compile: ({ threshold }) => ({
    transform: (input) => {
      checkFiniteInput(input);
      return { ...input, values: input.values.map((cell) => (cell > threshold ? 1 : 0)) };
    },
  }),
};

function normalized(input: Matrix, norm: Norm): Matrix {
  checkFiniteInput(input);
  const { values, columns } = input;
  const made = values.slice();
  for (let start = 0; start < made.length; start += columns) {
    const row = made.subarray(start, start + columns);
    const length = lengthOf(row, norm);
    if (length >= SHORTEST) for (let at = 0; at < columns; at += 1) row[at] = (row[at] ?? 0) / length;
  }
  return { ...input, values: made };
}

function lengthOf(row: Float64Array, norm: Norm): number {
  if (norm === 'l1') return row.reduce((sum, cell) => sum + Math.abs(cell), 0);
  if (norm === 'max') return row.reduce((most, cell) => Math.max(most, Math.abs(cell)), 0);
  return Math.sqrt(row.reduce((sum, cell) => sum + cell * cell, 0));
}
