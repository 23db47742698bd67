// GradientBoostingClassifier and GradientBoostingRegressor: the scores of a first estimator, and trees of corrections added to them in the order of training.
import type { Compile, Definition, Predictor, PredictorPart } from './estimator.ts';
import type { DummyPart } from './dummy.ts';
import { type TreeInput, addTrees } from './evaluate.ts';
import type { TreeSum } from './explain.ts';
import type { Fitted } from './fitted.ts';
import { builderOf, storedTreeOf } from './forest.ts';
import { bothProbabilities, expit, logit, softmaxOfRows, symmetricLogit } from './links.ts';
import { LOSSES } from './losses.ts';
import { type Matrix, argmaxOfRows, checkNumbers, repeatedRow } from './matrix.ts';
import { TreeRoom, checkValues } from './sklearn-tree.ts';
import type { Trees } from './trees.ts';
import { Instance, type Value } from '../formats/pickle-value.ts';

export interface GradientBoostingPart extends PredictorPart {
  readonly kind: 'gradient-boosting';
  /** Their leaves are multiplied by the learning rate; one column of the sum for each class where there are more than two. */
  readonly trees: Trees;
  /** What the scores start from; zeros where it is absent. */
  readonly init?: PredictorPart;
  readonly loss: Loss;
  /** The scores start from probabilities that are kept this far from 0 and 1. */
  readonly epsilon: number;
  /** Up to scikit-learn 1.3 a label is decided by the probabilities, not by the scores: they differ where probabilities round to a tie. */
  readonly byProbability: boolean;
}

type Loss = 'binomial' | 'multinomial' | 'exponential' | 'regression';

/** scikit-learn 1.2 and 1.3. */
const OLD_LOSSES = 'sklearn.ensemble._gb_losses.';
const OLD_LOSS_NAMES = [
  'BinomialDeviance',
  'MultinomialDeviance',
  'ExponentialLoss',
  'LeastSquaresError',
  'LeastAbsoluteError',
  'HuberLossFunction',
  'QuantileLossFunction',
];

export const gradientBoosting: Definition<GradientBoostingPart> = {
  kind: 'gradient-boosting',
  names: ['sklearn.ensemble._gb.GradientBoostingClassifier', 'sklearn.ensemble._gb.GradientBoostingRegressor'],
  inert: [...LOSSES, ...OLD_LOSS_NAMES.map((name) => `${OLD_LOSSES}${name}`)],
  read: readBoosting,
  compile: compileBoosting,
};

function readBoosting(fitted: Fitted): GradientBoostingPart {
  const isClassifier = fitted.name.endsWith('Classifier');
  const classes = isClassifier ? fitted.labels() : [];
  const init = fitted.value('init_');
  return {
    kind: 'gradient-boosting',
    modelType: fitted.name,
    task: isClassifier ? 'classifier' : 'regressor',
    classes,
    trees: treesOf(fitted, classes.length > 2 ? classes.length : 1),
    loss: isClassifier ? lossOf(fitted, classes.length) : 'regression',
    ...(init !== 'zero' && { init: initOf(fitted, init, classes.length) }),
    epsilon: fitted.isFrom(1, 8) ? 2 ** -52 : 2 ** -23,
    byProbability: isOld(fitted.value('_loss')),
  };
}

function isOld(loss: Value): boolean {
  return loss instanceof Instance && loss.callable.path.startsWith(OLD_LOSSES);
}

function lossOf(fitted: Fitted, classes: number): Loss {
  const loss = fitted.oneOf('loss', ['log_loss', 'deviance', 'exponential']);
  if (classes < 2 || (loss === 'exponential' && classes > 2)) throw fitted.damaged(`with ${classes} classes`);
  if (loss === 'exponential') return loss;
  return classes === 2 ? 'binomial' : 'multinomial';
}

/** The estimator that the training began with; it was fitted on the same columns, its classes are numbered. */
function initOf(fitted: Fitted, value: Value, classes: number): PredictorPart {
  const init = fitted.predictor(value);
  const fits = classes === 0 ? init.task !== 'classifier' : init.classes.length === classes;
  if (fits) return init;
  throw fitted.damaged(`that starts from a ${init.modelType} of other classes than its own`);
}

function treesOf(fitted: Fitted, outputs: number): Trees {
  const { data, shape } = fitted.array('estimators_');
  const rate = fitted.number('learning_rate');
  if (data instanceof Uint8Array || data.length === 0 || shape.length !== 2 || shape[1] !== outputs) {
    throw fitted.damaged('without a tree for each class and step');
  }
  const stored = data.map((value) => storedTreeOf(memberOf(fitted, value), { features: fitted.columns, width: 1 }));
  const room = new TreeRoom(stored);
  const builder = builderOf(stored, 1, outputs);
  for (const [at, each] of stored.entries()) {
    const tree = room.read(each);
    // its leaves were set anew after it had grown, so that inner nodes are no means of them
    checkValues(tree, 1, { aggregate: 'other' });
    // multiplied here as scikit-learn does for each answer: the same two roundings
    const scaled = fitted.finite(
      tree.values.map((value) => value * rate),
      'leaves',
    );
    builder.add(tree, (node, target, to) => (target[to] = scaled[node] ?? NaN), at % outputs);
  }
  return builder.built;
}

function memberOf(fitted: Fitted, value: Value): Fitted {
  const member = fitted.child(value);
  if (member.name !== 'DecisionTreeRegressor') throw fitted.damaged(`with a ${member.name} among its trees`);
  return member;
}

function compileBoosting(part: GradientBoostingPart, compile: Compile): Predictor {
  const scores = scoresOf(part, compile);
  const treeSum = treeSumOf(part, compile);
  if (part.loss === 'regression') return { predict: scores, ...treeSum };
  const probabilities = probabilitiesOf(part);
  return {
    predict: (input) => labelsOf(part, scores(input)),
    predictProba: (input) => probabilities(scores(input)),
    decisionFunction: scores,
    ...treeSum,
  };
}

/** Empty where the scores start from an estimator that looks at the row. */
function treeSumOf(part: GradientBoostingPart, compile: Compile): { readonly treeSum?: TreeSum } {
  const { trees, init, loss } = part;
  if (init !== undefined && !isDummy(init)) return {};
  const start = init && startOf(part, init, compile)({ values: new Float64Array(), rows: 1, columns: 0 });
  const output = loss === 'regression' ? 'value' : 'margin';
  return { treeSum: { trees, ...(start && { start }), output, inputOf: rounded } };
}

/** The scores of an input: rounded to float32, from the first estimator on, tree after tree. */
function scoresOf(part: GradientBoostingPart, compile: Compile): (input: Matrix) => Float64Array {
  const { trees, init } = part;
  const start = init === undefined ? undefined : startOf(part, init, compile);
  return (matrix) => {
    const input = rounded(matrix);
    const { values, rows, columns } = input;
    const scores =
      start?.({ values: new Float64Array(values), rows, columns }) ?? new Float64Array(rows * trees.outputs);
    addTrees(trees, input, scores);
    return scores;
  };
}

function rounded({ values, rows, columns }: Matrix): TreeInput {
  const numbers = new Float32Array(values);
  return { values: numbers, rows, columns, hasMissing: checkNumbers(numbers, { missing: false, dtype: 'float32' }) };
}

function startOf(part: GradientBoostingPart, init: PredictorPart, compile: Compile): (input: Matrix) => Float64Array {
  const { predict, predictProba } = compile(init);
  const asked = part.loss === 'regression' ? predict : predictProba;
  if (asked === undefined) throw new TypeError(`${init.modelType} has no probabilities`);
  const scored = (input: Matrix) => scoresOfProbabilities(part, asked(input));
  if (!isDummy(init)) return scored;
  const same = scored({ values: new Float64Array(), rows: 1, columns: 0 });
  return ({ rows }) => repeatedRow(same, rows);
}

function isDummy(part: PredictorPart): part is DummyPart {
  return part.kind === 'dummy';
}

/** The link of the loss: probabilities of each class to scores; numbers of a regressor stay what they are. */
function scoresOfProbabilities(part: GradientBoostingPart, found: Float64Array): Float64Array {
  const { loss, epsilon, byProbability, classes } = part;
  if (loss === 'regression') return found;
  const clipped = found.map((share) => Math.min(Math.max(share, epsilon), 1 - epsilon));
  if (loss === 'multinomial') return byProbability ? clipped.map(Math.log) : symmetricLogit(clipped, classes.length);
  const positive = Float64Array.from({ length: found.length / 2 }, (_, row) => clipped[2 * row + 1] ?? NaN);
  return positive.map((share) => (loss === 'exponential' ? 0.5 : 1) * logit(share));
}

function probabilitiesOf({ loss, classes }: GradientBoostingPart): (scores: Float64Array) => Float64Array {
  if (loss === 'multinomial') return (scores) => softmaxOfRows(scores, classes.length);
  if (loss === 'exponential') return (scores) => bothProbabilities(scores, (score) => expit(2 * score));
  return (scores) => bothProbabilities(scores, expit);
}

function labelsOf(part: GradientBoostingPart, scores: Float64Array): Float64Array {
  const { loss, classes, byProbability } = part;
  if (byProbability && loss !== 'exponential') return argmaxOfRows(probabilitiesOf(part)(scores), classes.length);
  if (loss === 'multinomial') return argmaxOfRows(scores, classes.length);
  return scores.map((score) => (score >= 0 ? 1 : 0));
}
