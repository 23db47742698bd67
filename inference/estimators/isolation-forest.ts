// IsolationForest of scikit-learn: rows that random trees set apart early are outliers.
import { floatsOf, arrayOf } from '../formats/numpy.ts';
import type { Definition, Predictor, PredictorPart } from './estimator.ts';
import { addTrees } from './evaluate.ts';
import type { Fitted } from './fitted.ts';
import { builderOf, storedTreeOf } from './forest.ts';
import { type Matrix, checkNumbers } from './matrix.ts';
import { type StoredTree, type TreeColumns, TreeRoom } from './sklearn-tree.ts';
import type { Trees } from './trees.ts';

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

interface Member {
  readonly stored: StoredTree;
  /** Columns of the whole row that the tree was given; absent: all. */
  readonly subset?: readonly number[];
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
  const members = membersOf(fitted);
  const offset = fitted.number('offset_');
  const samples = fitted.int(fitted.has('_max_samples') ? '_max_samples' : 'max_samples_');
  if (!Number.isFinite(offset) || samples < 1) throw fitted.damaged('without a threshold');
  return {
    kind: 'isolation-forest',
    modelType: fitted.name,
    task: 'outlier',
    classes: [],
    trees: treesOf(members),
    denominator: members.length * averagePath(samples),
    offset,
    acceptsAnything: fitted.isFrom(1, 6),
  };
}

function membersOf(fitted: Fitted): readonly Member[] {
  const trees = fitted.list('estimators_').map((value) => fitted.child(value));
  const subsets = fitted.list('estimators_features_').map((value) => [...floatsOf(arrayOf(value))]);
  if (trees.length === 0 || subsets.length !== trees.length) throw fitted.damaged('without trees');
  const isWhole = fitted.int('_max_features') === fitted.columns;
  return trees.map((tree, at) => {
    if (tree.name !== TREE) throw fitted.damaged(`with a ${tree.name} in it`);
    if (isWhole) return { stored: storedTreeOf(tree, { features: fitted.columns, width: 1 }) };
    const subset = subsets[at] ?? [];
    const sound = subset.every((place) => Number.isInteger(place) && place >= 0 && place < fitted.columns);
    if (!sound) throw fitted.damaged('with a tree of columns that it has not');
    return { stored: storedTreeOf(tree, { features: subset.length, width: 1 }), subset };
  });
}

function treesOf(members: readonly Member[]): Trees {
  const stored = members.map((member) => member.stored);
  const room = new TreeRoom(stored);
  const builder = builderOf(stored, 1);
  for (const { stored: each, subset } of members) {
    const tree = room.read(each);
    const depths = depthsOf(tree);
    const feature = subset === undefined ? tree.feature : tree.feature.map((place) => subset[place] ?? 0);
    builder.add({ ...tree, feature }, (node, target, at) => {
      target[at] = (depths[node] ?? 0) + averagePath(tree.samples[node] ?? 0) - 1;
    });
  }
  return builder.built;
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
