// HistGradientBoostingClassifier and HistGradientBoostingRegressor: rows of doubles, missing values, columns of categories; leaves hold the learning rate already.
import { Instance } from '../formats/pickle-value.ts';
import type { Definition, Predictor, PredictorPart } from './estimator.ts';
import { type TreeInput, addTrees } from './evaluate.ts';
import type { TreeSum } from './explain.ts';
import { type Fitted, itemsOf } from './fitted.ts';
import { BIN_MAPPER, CATEGORY_NAMES, type CategoryColumn, encoderOf, readCategories } from './hist-categories.ts';
import { readHistTree } from './hist-tree.ts';
import { bothProbabilities, expit, softmaxOfRows } from './links.ts';
import { LOSSES } from './losses.ts';
import { type Matrix, argmaxOfRows, repeatedRow } from './matrix.ts';
import { type Trees, TreesBuilder } from './trees.ts';

export interface HistGradientBoostingPart extends PredictorPart {
  readonly kind: 'hist-gradient-boosting';
  readonly trees: Trees;
  /** What each column of the sum starts from. */
  readonly baseline: Float64Array<ArrayBuffer>;
  readonly categories: readonly CategoryColumn[];
  readonly link: Link;
  /** Up to scikit-learn 1.4 a label is decided by the probabilities, not by the scores: they differ where probabilities round to a tie. */
  readonly byProbability: boolean;
}

type Link = 'logit' | 'softmax' | 'log' | 'identity';

const MODULE = 'sklearn.ensemble._hist_gradient_boosting';
const TREE_PREDICTOR = `${MODULE}.predictor.TreePredictor`;
const LINKS: ReadonlyMap<string, Link> = new Map<string, Link>([
  ['HalfBinomialLoss', 'logit'],
  ['HalfMultinomialLoss', 'softmax'],
  ['HalfPoissonLoss', 'log'],
  ['HalfGammaLoss', 'log'],
  ['HalfSquaredError', 'identity'],
  ['AbsoluteError', 'identity'],
  ['PinballLoss', 'identity'],
]);

export const histGradientBoosting: Definition<HistGradientBoostingPart> = {
  kind: 'hist-gradient-boosting',
  names: [
    `${MODULE}.gradient_boosting.HistGradientBoostingClassifier`,
    `${MODULE}.gradient_boosting.HistGradientBoostingRegressor`,
  ],
  inert: [...LOSSES, ...CATEGORY_NAMES, TREE_PREDICTOR, BIN_MAPPER, 'sklearn.preprocessing._label.LabelEncoder'],
  takesText: true,
  read: readBoosting,
  compile: compileBoosting,
};

function readBoosting(fitted: Fitted): HistGradientBoostingPart {
  const isClassifier = fitted.name.endsWith('Classifier');
  const classes = isClassifier ? fitted.labels() : [];
  const outputs = classes.length > 2 ? classes.length : 1;
  if (isClassifier && classes.length < 2) throw fitted.damaged('with a single class');
  const { columns, order } = readCategories(fitted);
  return {
    kind: 'hist-gradient-boosting',
    modelType: fitted.name,
    task: isClassifier ? 'classifier' : 'regressor',
    classes,
    trees: treesOf(fitted, outputs, order),
    baseline: fitted.floats('_baseline_prediction', [1, outputs]),
    categories: columns,
    link: linkOf(fitted, classes.length),
    byProbability: !fitted.isFrom(1, 5),
  };
}

function linkOf(fitted: Fitted, classes: number): Link {
  const loss = fitted.value('_loss');
  const path = loss instanceof Instance ? loss.callable.path : '';
  const link = LINKS.get(path.slice(path.lastIndexOf('.') + 1));
  if (link === undefined) throw fitted.damaged('with a loss that is none');
  const fits = classes === 0 ? link === 'log' || link === 'identity' : link === (classes > 2 ? 'softmax' : 'logit');
  if (!fits) throw fitted.damaged(`with a loss that is not for ${classes} classes`);
  return link;
}

function treesOf(fitted: Fitted, outputs: number, order: readonly number[]): Trees {
  const trees = fitted.list('_predictors').flatMap((step) => {
    const members = itemsOf(step, '_predictors');
    if (members.length !== outputs) throw fitted.damaged('without a tree for each class and step');
    return members.map((member) => readHistTree(fitted.helperOf(member, '_predictors', [TREE_PREDICTOR]), order));
  });
  const nodes = trees.reduce((sum, { count }) => sum + count, 0);
  const builder = new TreesBuilder({ trees: trees.length, nodes, leafWidth: 1, outputs });
  for (const [at, tree] of trees.entries()) {
    builder.add(tree, (node, target, to) => (target[to] = tree.values[node] ?? NaN), at % outputs);
  }
  return builder.built;
}

function compileBoosting(part: HistGradientBoostingPart): Predictor {
  const inputOf = encoded(part);
  const scores = scoresOf(part, inputOf);
  const output = part.link === 'identity' ? 'value' : 'margin';
  const treeSum: TreeSum = { trees: part.trees, start: part.baseline, output, inputOf };
  if (part.link === 'identity') return { predict: scores, treeSum };
  if (part.link === 'log') return { predict: (input) => scores(input).map(Math.exp), treeSum };
  const probabilities = (found: Float64Array) =>
    part.link === 'softmax' ? softmaxOfRows(found, part.classes.length) : bothProbabilities(found, expit);
  const labels = (found: Float64Array) => {
    if (part.byProbability) return argmaxOfRows(probabilities(found), part.classes.length);
    return part.link === 'softmax' ? argmaxOfRows(found, part.classes.length) : found.map((score) => Number(score > 0));
  };
  return {
    predict: (input) => labels(scores(input)),
    predictProba: (input) => probabilities(scores(input)),
    decisionFunction: scores,
    treeSum,
  };
}

/** Infinity is a number like others here, as it is for scikit-learn. */
function encoded({ categories }: HistGradientBoostingPart): (input: Matrix) => TreeInput {
  const encode = categories.length === 0 ? ({ values }: Matrix) => values : encoderOf(categories);
  return (input) => {
    const { rows, columns } = input;
    const values = encode(input);
    return { values, rows, columns, hasMissing: values.some((value) => Number.isNaN(value)) };
  };
}

/** The sums of the leaves, from the baseline on, tree after tree. */
function scoresOf(
  { trees, baseline }: HistGradientBoostingPart,
  inputOf: (input: Matrix) => TreeInput,
): (input: Matrix) => Float64Array {
  return (input) => {
    const scores = repeatedRow(baseline, input.rows);
    addTrees(trees, inputOf(input), scores);
    return scores;
  };
}
