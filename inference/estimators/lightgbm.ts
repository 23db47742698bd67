// LightGBM's boosters: rows and sums are doubles.
import type { Definition, Predictor } from './estimator.ts';
import { type TreeInput, addTrees } from './evaluate.ts';
import type { TreeSum } from './explain.ts';
import { encoderOf } from './encodings.ts';
import { LIGHTGBM_NAMES, inputOfLightgbm, readFittedLightgbm } from './lightgbm-fitted.ts';
import { answerOf, softmaxOfScores } from './lightgbm-objective.ts';
import type { LightgbmPart } from './lightgbm-part.ts';
import { bothProbabilities } from './links.ts';
import { type Matrix, argmaxOfRows } from './matrix.ts';

export const lightgbm: Definition<LightgbmPart> = {
  kind: 'lightgbm',
  names: LIGHTGBM_NAMES,
  inert: ['sklearn.preprocessing._label.LabelEncoder'],
  takesText: true,
  inputOf: inputOfLightgbm,
  read: readFittedLightgbm,
  compile: compileBooster,
};

/** LightGBM's kZeroThreshold, a float32. */
const ZERO = Math.fround(1e-35);

function compileBooster(part: LightgbmPart): Predictor {
  const { task, classes, divisor, objective } = part;
  // a raw score is the sum also of a random forest; its answer comes from the mean
  const decisionFunction = scoresOf(part);
  const means =
    divisor === 1 ? decisionFunction : (input: Matrix) => decisionFunction(input).map((sum) => sum / divisor);
  const answer = answerOf(objective);
  const isValue = task !== 'classifier' && objective.link === 'identity';
  const treeSum: TreeSum = {
    trees: part.trees,
    ...(task !== 'classifier' && { divisor }),
    output: isValue ? 'value' : 'margin',
    inputOf: inputsOf(part),
  };
  if (task !== 'classifier') return { predict: (input) => means(input).map(answer), treeSum };
  const predictProba = (input: Matrix) => {
    if (objective.link === 'softmax') return softmaxOfScores(means(input), classes.length);
    // one against the rest: each is a probability of its own, and they do not add up to 1
    return objective.link === 'sigmoids' ? means(input).map(answer) : bothProbabilities(means(input), answer);
  };
  const predict = (input: Matrix) => argmaxOfRows(predictProba(input), classes.length);
  return { predict, predictProba, decisionFunction, treeSum };
}

/** Rows as the trees take them. Infinity is a number like others; an unknown category is a missing value, as for LightGBM's Python package. */
function inputsOf({ zeroIsMissing, encodings }: LightgbmPart): (input: Matrix) => TreeInput {
  const encode = encoderOf(encodings, () => NaN);
  const isChanged = encodings.length + zeroIsMissing.length > 0;
  return ({ values: given, rows, columns }) => {
    const values = isChanged ? new Float64Array(given) : given;
    encode(values, columns);
    for (const column of zeroIsMissing) removeZeros(values, column, columns);
    return { values, rows, columns, hasMissing: values.some((value) => Number.isNaN(value)) };
  };
}

function removeZeros(values: Float64Array, column: number, columns: number): void {
  for (let at = column; at < values.length; at += columns) if (Math.abs(values[at] ?? 0) <= ZERO) values[at] = NaN;
}

/** The sums of the leaves, tree after tree. */
function scoresOf(part: LightgbmPart): (input: Matrix) => Float64Array {
  const { trees } = part;
  const inputOf = inputsOf(part);
  return (input) => {
    const scores = new Float64Array(input.rows * trees.outputs);
    addTrees(trees, inputOf(input), scores);
    return scores;
  };
}
