// Decision trees and forests of scikit-learn (tried: 1.2 to 1.9). Facts that differ between versions are read from the file where it states them, not guessed
// from the version number.
import type { ClassLabel } from '../model/model-data.ts';
import type { Definition, Predictor, PredictorPart } from './estimator.ts';
import { type TreeInput, addTrees } from './evaluate.ts';
import type { TreeSum } from './explain.ts';
import type { Fitted } from './fitted.ts';
import { type Matrix, argmaxOfRows, checkNumbers } from './matrix.ts';
import {
  type Aggregate,
  type ForestShape,
  type StoredTree,
  TREE,
  type TreeColumns,
  TreeRoom,
  checkValues,
  hasDirections,
  holdsFractions,
  storedTree,
} from './sklearn-tree.ts';
import { type Trees, TreesBuilder, type WriteLeaf, bytesOfTree, pairwiseSum } from './trees.ts';

export interface ForestPart extends PredictorPart {
  readonly kind: 'forest';
  readonly trees: Trees;
  /** Whether NaN is an allowed input. */
  readonly acceptsMissing: boolean;
}

const SINGLE = ['DecisionTreeClassifier', 'DecisionTreeRegressor', 'ExtraTreeClassifier', 'ExtraTreeRegressor'];
const ENSEMBLES = ['RandomForestClassifier', 'RandomForestRegressor', 'ExtraTreesClassifier', 'ExtraTreesRegressor'];

export const forest: Definition<ForestPart> = {
  kind: 'forest',
  names: [
    ...ENSEMBLES.map((name) => `sklearn.ensemble._forest.${name}`),
    ...SINGLE.map((name) => `sklearn.tree._classes.${name}`),
  ],
  inert: [TREE],
  read: readForest,
  compile: ({ trees, task, classes, acceptsMissing }) => {
    const mean = meanOfTrees(trees, acceptsMissing);
    const treeSum: TreeSum = {
      trees,
      divisor: trees.roots.length,
      output: task === 'classifier' ? 'probability' : 'value',
      inputOf: (input) => rounded(input, acceptsMissing),
    };
    if (task !== 'classifier') return { predict: mean, treeSum };
    const predict = (input: Matrix) => argmaxOfRows(mean(input), classes.length);
    return { predict, predictProba: mean, treeSum } satisfies Predictor;
  },
};

/** Bit for bit scikit-learn's with n_jobs=1: float32 rows, float64 thresholds, trees added up in file order, the sum divided by their number. */
function meanOfTrees(trees: Trees, missing: boolean): (input: Matrix) => Float64Array {
  // most requests are of one row, whose numbers nobody needs afterwards
  let row = new Float32Array(0);
  return (input) => {
    if (input.rows === 1 && row.length !== input.columns) row = new Float32Array(input.columns);
    const sums = new Float64Array(input.rows * trees.outputs);
    addTrees(trees, rounded(input, missing, input.rows === 1 ? row : undefined), sums);
    for (let at = 0; at < sums.length; at += 1) sums[at] = (sums[at] ?? 0) / trees.roots.length;
    return sums;
  };
}

/** The same numbers in `numbers`, which is as long. */
function rounded(
  { values, rows, columns }: Matrix,
  missing: boolean,
  numbers = new Float32Array(values.length),
): TreeInput {
  for (let at = 0; at < numbers.length; at += 1) numbers[at] = values[at] ?? 0;
  return { values: numbers, rows, columns, hasMissing: checkNumbers(numbers, { missing, dtype: 'float32' }) };
}

function readForest(fitted: Fitted): ForestPart {
  const isClassifier = fitted.name.endsWith('Classifier');
  const members = membersOf(fitted);
  if (fitted.int('n_outputs_') !== 1) throw fitted.unsupported('with several outputs: train one model per output');
  const classes = isClassifier ? fitted.labels() : [];
  if (isClassifier && fitted.int('n_classes_') !== classes.length)
    throw fitted.damaged('with other classes than its own');
  return {
    kind: 'forest',
    modelType: fitted.name,
    task: isClassifier ? 'classifier' : 'regressor',
    classes,
    ...treesOf(fitted, members, classes),
  };
}

/** The trees of a forest; a single tree is a forest of one. */
function membersOf(fitted: Fitted): readonly Fitted[] {
  if (SINGLE.includes(fitted.name)) return [fitted];
  const members = fitted.list('estimators_').map((value) => fitted.child(value));
  if (members.length === 0) throw fitted.damaged('without trees');
  for (const { name } of members) if (!SINGLE.includes(name)) throw fitted.damaged(`with a ${name} in it`);
  return members;
}

function treesOf(fitted: Fitted, members: readonly Fitted[], classes: readonly ClassLabel[]) {
  const shape = { features: fitted.columns, width: Math.max(1, classes.length) };
  const stored = members.map((member) => storedTreeOf(member, shape));
  const acceptsMissing = stored.every(hasDirections) && takesMissing(fitted, members[0]);
  const trees = classes.length > 0 ? classTrees(members, stored, shape.width) : valueTrees(members, stored);
  return { trees, acceptsMissing };
}

/** The tree of a fitted DecisionTree or ExtraTree, which there is memory for. Throws ModelError. */
export function storedTreeOf(member: Fitted, shape: ForestShape): StoredTree {
  const tree = storedTree(member.value('tree_'), shape);
  member.reading.spend(bytesOfTree(tree.count, shape.width));
  return tree;
}

function classTrees(members: readonly Fitted[], stored: readonly StoredTree[], width: number): Trees {
  const room = new TreeRoom(stored);
  // decided on all nodes of all trees: the root alone is fooled by sample weights that add up to 1
  const fractions = stored.every((tree) => holdsFractions(room.readValues(tree), width));
  const builder = builderOf(stored, width);
  for (const [at, each] of stored.entries()) {
    const tree = room.read(each);
    const aggregate = isConstrained(members[at]) ? 'other' : fractions ? 'mean' : 'count';
    checkValues(tree, width, { aggregate, least: 0 });
    builder.add(tree, fractions ? copied(tree, width) : asFractions(tree, width));
  }
  return builder.built;
}

function valueTrees(members: readonly Fitted[], stored: readonly StoredTree[]): Trees {
  const room = new TreeRoom(stored);
  const builder = builderOf(stored, 1);
  for (const [at, each] of stored.entries()) {
    const tree = room.read(each);
    checkValues(tree, 1, { aggregate: aggregateOf(members[at]) });
    builder.add(tree, copied(tree, 1));
  }
  return builder.built;
}

/** For these trees, whose leaves have `leafWidth` numbers. */
export function builderOf(stored: readonly StoredTree[], leafWidth: number, outputs = leafWidth): TreesBuilder {
  const nodes = stored.reduce((sum, { count }) => sum + count, 0);
  return new TreesBuilder({ trees: stored.length, nodes, leafWidth, outputs, isFloat32: true });
}

function copied({ values }: TreeColumns, width: number): WriteLeaf {
  return (node, target, at) => {
    for (let place = 0; place < width; place += 1) target[at + place] = values[node * width + place] ?? 0;
  };
}

/** Weights of the classes, divided by their sum. */
function asFractions({ values }: TreeColumns, width: number): WriteLeaf {
  return (node, target, at) => {
    const sum = pairwiseSum(values, node * width, width);
    const divisor = sum === 0 ? 1 : sum;
    for (let place = 0; place < width; place += 1) target[at + place] = (values[node * width + place] ?? 0) / divisor;
  };
}

/** Monotonic constraints: node values are clipped to keep them. */
function isConstrained(member: Fitted | undefined): boolean {
  return member?.isSet('monotonic_cst') ?? false;
}

function aggregateOf(member: Fitted | undefined): Aggregate {
  if (member === undefined || isConstrained(member)) return 'other';
  return member.text('criterion') === 'absolute_error' ? 'other' : 'mean';
}

/** Criteria for which scikit-learn's trees take missing values. */
const WITH_MISSING = ['gini', 'log_loss', 'entropy', 'squared_error', 'friedman_mse', 'poisson'];

/**
 * Whether scikit-learn lets NaN through: single trees from 1.3 on, forests from 1.4 on, random splits from 1.6 on, monotonic constraints from 1.9 on. Only
 * here does the version decide: 1.3 writes directions for missing values into forests, and refuses them nevertheless.
 */
function takesMissing(fitted: Fitted, member: Fitted | undefined): boolean {
  if (member === undefined || !WITH_MISSING.includes(member.text('criterion'))) return false;
  if (isConstrained(member) && !fitted.isFrom(1, 9)) return false;
  if (member.text('splitter') === 'random') return fitted.isFrom(1, 6);
  return fitted.isFrom(1, fitted === member ? 3 : 4);
}
