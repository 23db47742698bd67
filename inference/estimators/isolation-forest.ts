// IsolationForest of scikit-learn: rows that random trees set apart early are outliers.
import { floatsOf, arrayOf } from '../formats/numpy.ts';
import type { Definition, Predictor, PredictorPart } from './estimator.ts';
import { addTrees } from './evaluate.ts';
import type { Fitted } from './fitted.ts';
import { checkedTree } from './forest.ts';
import { type Matrix, checkNumbers } from './matrix.ts';
import type { TreeColumns } from './sklearn-tree.ts';
import { type Trees, TreesBuilder } from './trees.ts';

export interface IsolationForestPart extends PredictorPart {
  readonly kind: 'isolation-forest';
  /** A leaf is the number of splits above it, and those that its rows would have needed. */
  readonly trees: Trees;
  /** What the sum of all trees is divided by; 0 where each tree has seen one row. */
  readonly denominator: number;
  readonly offset: number;
  /** Whether NaN and infinity are let through. */
  readonly acceptsAnything: boolean;
}

const EULER = 0.5772156649015329;
const TREE = 'ExtraTreeRegressor';

export const isolationForest: Definition<IsolationForestPart> = {
  kind: 'isolation-forest',
  names: ['sklearn.ensemble._iforest.IsolationForest'],
  read: readIsolationForest,
  compile: (part) => {
    const decisionFunction = (input: Matrix) => scores(part, input).map((score) => score - part.offset);
    return {
      predict: (input) => decisionFunction(input).map((score) => (score < 0 ? -1 : 1)),
      decisionFunction,
    } satisfies Predictor;
  },
};

/** score_samples: near -1 for outliers, above -0.5 for others. */
function scores({ trees, denominator, acceptsAnything }: IsolationForestPart, input: Matrix): Float64Array {
  const { rows, columns } = input;
  const values = new Float32Array(input.values);
  const hasMissing = acceptsAnything
    ? values.some((value) => Number.isNaN(value))
    : checkNumbers(values, { missing: false, dtype: 'float32' });
  const depths = new Float64Array(rows);
  addTrees(trees, { values, rows, columns, hasMissing }, depths);
  return depths.map((depth) => -(2 ** -(denominator === 0 ? 1 : depth / denominator)));
}

/** Splits that a tree of so many rows has on the way to one of them, on average. */
function averagePath(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER) - (2 * (rows - 1)) / rows;
}

function readIsolationForest(fitted: Fitted): IsolationForestPart {
  const members = fitted.list('estimators_').map((value) => fitted.child(value));
  const subsets = fitted.list('estimators_features_').map((value) => [...floatsOf(arrayOf(value))]);
  if (members.length === 0 || subsets.length !== members.length) throw fitted.damaged('without trees');
  const whole = fitted.int('_max_features') === fitted.columns;
  const columns = members.map((member, at) => treeOf(fitted, member, whole ? undefined : subsets[at]));
  const nodes = columns.reduce((sum, { count }) => sum + count, 0);
  const builder = new TreesBuilder({ trees: columns.length, nodes, leafWidth: 1, outputs: 1, isFloat32: true });
  for (const tree of columns) {
    const depths = depthsOf(tree);
    builder.add(tree, (node, target, at) => {
      target[at] = (depths[node] ?? 0) + averagePath(tree.samples[node] ?? 0) - 1;
    });
  }
  const offset = fitted.number('offset_');
  const samples = fitted.int(fitted.has('_max_samples') ? '_max_samples' : 'max_samples_');
  if (!Number.isFinite(offset) || samples < 1) throw fitted.damaged('without a threshold');
  return {
    kind: 'isolation-forest',
    modelType: fitted.name,
    task: 'outlier',
    classes: [],
    trees: builder.built,
    denominator: members.length * averagePath(samples),
    offset,
    acceptsAnything: fitted.isFrom(1, 6),
  };
}

/** A tree that asks for columns of the whole row; `subset` says which of them it was given. */
function treeOf(fitted: Fitted, member: Fitted, subset: readonly number[] | undefined): TreeColumns {
  if (member.name !== TREE) throw fitted.damaged(`with a ${member.name} in it`);
  const tree = checkedTree(member, { features: subset?.length ?? fitted.columns, width: 1 });
  if (subset === undefined) return tree;
  const sound = subset.every((place) => Number.isInteger(place) && place >= 0 && place < fitted.columns);
  if (!sound) throw fitted.damaged('with a tree of columns that it has not');
  return { ...tree, feature: tree.feature.map((place) => subset[place] ?? 0) };
}

/** Nodes from the root to each node, both counted. Children come after their parent. */
function depthsOf({ count, left, right }: TreeColumns): Int32Array {
  const depths = new Int32Array(count).fill(1);
  for (let node = 0; node < count; node += 1) {
    for (const child of [left[node] ?? -1, right[node] ?? -1]) {
      if (child >= 0) depths[child] = (depths[node] ?? 0) + 1;
    }
  }
  return depths;
}
