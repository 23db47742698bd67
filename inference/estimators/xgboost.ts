// XGBoost's boosters: rows and sums are float32. Answers are those of its scikit-learn classes, which ask the booster.
import type { Definition, Predictor } from './estimator.ts';
import { type TreeInput, addTrees } from './evaluate.ts';
import type { TreeSum } from './explain.ts';
import { type Matrix, argmaxOfRows, checkNumbers, repeatedRow } from './matrix.ts';
import { encoderOf } from './encodings.ts';
import { refuseUnknown } from './xgboost-categories.ts';
import { XGBOOST_NAMES, inputOfXgboost, readXgboost } from './xgboost-fitted.ts';
import { type XgboostLink, sigmoid, softmaxOfMargins } from './xgboost-objective.ts';
import type { XgboostPart } from './xgboost-part.ts';

export const xgboost: Definition<XgboostPart> = {
  kind: 'xgboost',
  names: XGBOOST_NAMES,
  inert: ['builtins.bytearray', '__builtin__.bytearray'],
  takesText: true,
  inputOf: inputOfXgboost,
  read: readXgboost,
  compile: compileBooster,
};

function compileBooster(part: XgboostPart): Predictor {
  const inputOf = encoded(part);
  const margins = marginsOf(part, inputOf);
  const { task, link, classes } = part;
  const output = task === 'classifier' || link !== 'identity' ? 'margin' : 'value';
  const treeSum: TreeSum = { trees: part.trees, start: part.margins, output, inputOf };
  if (task !== 'classifier') return { predict: (input) => answered(margins(input), link), treeSum };
  const decisionFunction = margins;
  if (link === 'softmax') {
    const predictProba = (input: Matrix) => softmaxOfMargins(margins(input), classes.length);
    const predict = (input: Matrix) => argmaxOfRows(predictProba(input), classes.length);
    return { predict, predictProba, decisionFunction, treeSum };
  }
  const bound = link === 'sigmoid' ? 0.5 : 0;
  const predict = (input: Matrix) =>
    answered(margins(input), link === 'sign' ? 'identity' : link).map((score) => Number(score > bound));
  if (link !== 'sigmoid') return { predict, decisionFunction, treeSum };
  return { predict, predictProba: (input) => bothShares(margins(input)), decisionFunction, treeSum };
}

function answered(margins: Float64Array, link: XgboostLink): Float64Array {
  if (link === 'sigmoid') return margins.map(sigmoid);
  return link === 'exp' ? margins.map((margin) => Math.fround(Math.exp(margin))) : margins;
}

function bothShares(margins: Float64Array): Float64Array {
  const shares = new Float64Array(2 * margins.length);
  for (let row = 0; row < margins.length; row += 1) {
    const share = sigmoid(margins[row] ?? 0);
    shares[2 * row] = Math.fround(1 - share);
    shares[2 * row + 1] = share;
  }
  return shares;
}

/** The sums of the leaves, added up in float32 in the order of the trees. */
function marginsOf(
  { trees, margins }: XgboostPart,
  inputOf: (input: Matrix) => TreeInput,
): (input: Matrix) => Float64Array {
  return (input) => {
    const sums = new Float32Array(repeatedRow(margins, input.rows));
    addTrees(trees, inputOf(input), sums);
    return new Float64Array(sums);
  };
}

function encoded({ categorical, encodings, missing }: XgboostPart): (input: Matrix) => TreeInput {
  const encode = encoderOf(encodings, refuseUnknown);
  return ({ values, rows, columns }) => {
    const rounded = new Float32Array(values);
    if (missing !== undefined) replaceMissing(rounded, Math.fround(missing));
    const hasMissing = checkNumbers(rounded, { missing: true, dtype: 'float32' });
    encode(rounded, columns);
    for (const column of categorical) refuseNegative(rounded, column, columns);
    return { values: rounded, rows, columns, hasMissing };
  };
}

function replaceMissing(values: Float32Array, missing: number): void {
  for (let at = 0; at < values.length; at += 1) if (values[at] === missing) values[at] = NaN;
}

/** A negative number is no category, also one that would be 0 without its fraction. */
function refuseNegative(values: Float32Array, column: number, columns: number): void {
  for (let at = column; at < values.length; at += columns) if ((values[at] ?? 0) < 0) values[at] = -1;
}
