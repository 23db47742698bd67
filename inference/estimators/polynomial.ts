// PolynomialFeatures of scikit-learn: products of columns, in its order.
import { ModelError } from '../model/errors.ts';
import { checkFiniteInput } from './algebra.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

export interface PolynomialPart extends TransformerPart {
  readonly kind: 'polynomial';
  /** Each term is the product of an earlier one and a column; the term -1 is 1. */
  readonly terms: Int32Array<ArrayBuffer>;
  readonly factors: Int32Array<ArrayBuffer>;
  /** Terms that are made but not given out, from the first on. */
  readonly hidden: number;
  readonly bias: boolean;
}

const MAX_TERMS = 100_000;

export const polynomial: Definition<PolynomialPart> = {
  kind: 'polynomial',
  names: ['sklearn.preprocessing._polynomial.PolynomialFeatures'],
  read: readPolynomial,
  compile: (part) => ({ transform: (input) => powers(part, input) }),
};

function powers({ terms, factors, hidden, bias, outputs }: PolynomialPart, input: Matrix): Matrix {
  checkFiniteInput(input);
  const { values, rows, columns } = input;
  const made = new Float64Array(rows * outputs);
  const products = new Float64Array(terms.length);
  const first = bias ? 1 : 0;
  for (let row = 0; row < rows; row += 1) {
    for (let at = 0; at < terms.length; at += 1) {
      products[at] = (products[terms[at] ?? 0] ?? 1) * (values[row * columns + (factors[at] ?? 0)] ?? 0);
    }
    if (bias) made[row * outputs] = 1;
    made.set(products.subarray(hidden), row * outputs + first);
  }
  return { values: made, rows, columns: outputs };
}

function readPolynomial(fitted: Fitted): PolynomialPart {
  const bias = fitted.flag('include_bias');
  const [least, most] = [fitted.int('_min_degree'), fitted.int('_max_degree')];
  if (!(least >= 0 && most >= least)) throw fitted.damaged(`of degrees ${least} to ${most}`);
  const made = termsOf(fitted, most);
  const terms = Int32Array.from(made, ({ term }) => term);
  const factors = Int32Array.from(made, ({ factor }) => factor);
  const hidden = made.findIndex(({ degree }) => degree >= least);
  const shown = hidden === -1 ? 0 : made.length - hidden;
  const outputs = shown + (bias ? 1 : 0);
  if (outputs !== fitted.int('n_output_features_')) throw fitted.damaged('with other products than its degrees give');
  fitted.reading.spend(made.length * 8);
  return {
    kind: 'polynomial',
    modelType: fitted.name,
    outputs,
    terms,
    factors,
    hidden: made.length - shown,
    bias,
  };
}

interface Term {
  readonly term: number;
  readonly factor: number;
  readonly degree: number;
}

/** Products of up to `most` columns in the order of itertools.combinations: each begins with its first column, the rest is a term of a degree less. */
function termsOf(fitted: Fitted, most: number): readonly Term[] {
  const { columns } = fitted;
  const onlyDifferent = fitted.flag('interaction_only');
  const made: Term[] = [];
  // where the terms of the degree before begin that have no column before this one
  let starts = Array.from({ length: columns + 1 }, () => -1);
  for (let degree = 1; degree <= most; degree += 1) {
    const next: number[] = [];
    const end = made.length;
    for (let factor = 0; factor < columns; factor += 1) {
      next.push(made.length);
      const from = degree === 1 ? -1 : (starts[factor + (onlyDifferent ? 1 : 0)] ?? end);
      for (let term = from; term < (degree === 1 ? 0 : end); term += 1) made.push({ term, factor, degree });
      if (made.length > MAX_TERMS) throw new ModelError('ArtifactTooLarge', `more than ${MAX_TERMS} products`);
    }
    if (made.length === end) break;
    starts = [...next, made.length];
  }
  return made;
}
