// GaussianNB of scikit-learn: each class has a bell curve for each column.
import { checkFiniteInput, weightsOf } from './algebra.ts';
import type { Definition, Predictor, PredictorPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import { type Matrix, argmaxOfRows } from './matrix.ts';
import { pairwiseSum } from './trees.ts';

type Numbers = Float64Array<ArrayBuffer>;

export interface NaiveBayesPart extends PredictorPart {
  readonly kind: 'naive-bayes';
  /** A row of columns for each class. */
  readonly means: Numbers;
  readonly variances: Numbers;
  /** For each class: the logarithm of its share, less what its variances give. */
  readonly base: Numbers;
}

export const naiveBayes: Definition<NaiveBayesPart> = {
  kind: 'naive-bayes',
  names: ['sklearn.naive_bayes.GaussianNB'],
  read: readNaiveBayes,
  compile: (part) => {
    const width = part.classes.length;
    return {
      predict: (input) => argmaxOfRows(likelihoods(part, input), width),
      predictProba: (input) => sharesOf(likelihoods(part, input), width),
    } satisfies Predictor;
  },
};

/** Logarithms, one for each row and class; added up as numpy does, since e to the power of them shows every bit. */
function likelihoods({ means, variances, base }: NaiveBayesPart, input: Matrix): Numbers {
  checkFiniteInput(input);
  const { values, rows, columns } = input;
  const classes = base.length;
  const made = new Float64Array(rows * classes);
  const terms = new Float64Array(columns);
  for (let row = 0; row < rows; row += 1) {
    for (let label = 0; label < classes; label += 1) {
      for (let at = 0; at < columns; at += 1) {
        const place = label * columns + at;
        const distance = (values[row * columns + at] ?? 0) - (means[place] ?? 0);
        terms[at] = (distance * distance) / (variances[place] ?? 1);
      }
      made[row * classes + label] = (base[label] ?? 0) - 0.5 * pairwiseSum(terms, 0, columns);
    }
  }
  return made;
}

/** e to the power of each, over their sum, by way of the logarithm of that sum. */
function sharesOf(logs: Numbers, width: number): Numbers {
  const shares = new Float64Array(logs.length);
  for (let start = 0; start < logs.length; start += width) {
    const row = logs.subarray(start, start + width);
    const largest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const sum = largest + Math.log(row.reduce((total, value) => total + Math.exp(value - largest), 0));
    for (let at = 0; at < width; at += 1) shares[start + at] = Math.exp((row[at] ?? 0) - sum);
  }
  return shares;
}

function readNaiveBayes(fitted: Fitted): NaiveBayesPart {
  const classes = fitted.labels();
  const shape = [classes.length, fitted.columns];
  const means = weightsOf(fitted, 'theta_', shape);
  const variances = weightsOf(fitted, 'var_', shape);
  const priors = weightsOf(fitted, 'class_prior_', [classes.length]);
  if (!variances.every((variance) => variance > 1e-300)) throw fitted.damaged('with variances that are not above 0');
  if (!priors.every((prior) => prior >= 0) || !priors.some((prior) => prior > 0)) {
    throw fitted.damaged('with negative shares of classes');
  }
  const spreads = variances.map((variance) => Math.log(2 * Math.PI * variance));
  const { columns } = fitted;
  const base = priors.map((prior, at) => Math.log(prior) + -0.5 * pairwiseSum(spreads, at * columns, columns));
  return { kind: 'naive-bayes', modelType: fitted.name, task: 'classifier', classes, means, variances, base };
}
