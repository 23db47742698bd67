// Feature selection of scikit-learn: some columns are kept, in their order.
import { checkFiniteInput, checkNanInput } from './algebra.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { type Matrix, columnsOf } from './matrix.ts';

export interface SelectorPart extends TransformerPart {
  readonly kind: 'selector';
  /** Places of the columns that are kept. */
  readonly kept: readonly number[];
  readonly acceptsMissing: boolean;
}

const MODULE = 'sklearn.feature_selection';
const SCORES = ['chi2', 'f_classif', 'f_regression', 'f_oneway', 'r_regression'];
const INFORMATION = ['mutual_info_classif', 'mutual_info_regression'];

export const selector: Definition<SelectorPart> = {
  kind: 'selector',
  names: [`${MODULE}._univariate_selection.SelectKBest`, `${MODULE}._variance_threshold.VarianceThreshold`],
  // the functions that the columns were judged by
  inert: [
    ...SCORES.map((name) => `${MODULE}._univariate_selection.${name}`),
    ...INFORMATION.map((name) => `${MODULE}._mutual_info.${name}`),
  ],
  read: (fitted) => {
    const kept = fitted.name === 'SelectKBest' ? bestOf(fitted) : varyingOf(fitted);
    const acceptsMissing = fitted.name === 'VarianceThreshold';
    return { kind: 'selector', modelType: fitted.name, outputs: kept.length, kept, acceptsMissing };
  },
  compile: ({ kept, acceptsMissing }) => ({
    transform: (input: Matrix) => {
      (acceptsMissing ? checkNanInput : checkFiniteInput)(input);
      return columnsOf(input, kept);
    },
  }),
};

function varyingOf(fitted: Fitted): readonly number[] {
  const threshold = fitted.number('threshold');
  const variances = fitted.anyFloats('variances_', [fitted.columns]);
  return placesOf(fitted).filter((place) => (variances[place] ?? NaN) > threshold);
}

/** The k columns of the highest scores: NaN is the lowest, and of equal ones the later wins, as by numpy's stable argsort. */
function bestOf(fitted: Fitted): readonly number[] {
  const places = placesOf(fitted);
  if (fitted.value('k') === 'all') return places;
  const count = fitted.int('k');
  const scores = fitted
    .anyFloats('scores_', [fitted.columns])
    .map((score) => (Number.isNaN(score) ? -Infinity : score));
  const scoreOf = (place: number) => scores[place] ?? 0;
  const rising = places.toSorted((a, b) => (scoreOf(a) === scoreOf(b) ? a - b : scoreOf(a) - scoreOf(b)));
  return rising.slice(Math.max(0, places.length - count)).toSorted((a, b) => a - b);
}

function placesOf({ columns }: Fitted): readonly number[] {
  return Array.from({ length: columns }, (_, place) => place);
}
