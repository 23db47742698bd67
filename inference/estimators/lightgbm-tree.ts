// One tree of LightGBM: splits and leaves are numbered apart, a child below 0 is a leaf (~child).
import { type Section, damagedDocument } from '../formats/document.ts';
import { ModelError } from '../model/errors.ts';
import { type Children, parentFirst } from './tree-order.ts';
import type { Spend, TreeSource } from './trees.ts';

export interface LightgbmTree extends TreeSource {
  /** The answer of each leaf. */
  readonly values: Float64Array;
  /** Columns where zeros are missing values, and columns where they are not. */
  readonly zeroIsMissing: ReadonlySet<number>;
  readonly zeroIsZero: ReadonlySet<number>;
  /** Columns that are split by set. */
  readonly categorical: ReadonlySet<number>;
}

const MAX_LEAVES = 2 ** 27;
/** Bits of decision_type. */
const IS_SET = 1;
const DEFAULT_LEFT = 2;
const MISSING_ZERO = 1;
const MISSING_NAN = 2;

/** Number of leaves, before anything is made of them. */
export function leavesOf(tree: Section): number {
  return tree.integer('num_leaves', 1, MAX_LEAVES);
}

/** Reads a tree over `features` columns and proves that its walks end. Throws ModelError. */
export function readLightgbmTree(tree: Section, features: number, spend: Spend): LightgbmTree {
  const leaves = leavesOf(tree);
  if (tree.has('is_linear') && tree.integer('is_linear', 0, 1) === 1) {
    throw new ModelError('UnsupportedModel', 'LightGBM with linear_tree=true is not supported: train without it');
  }
  const answers = tree.numbers('leaf_value', leaves);
  if (!answers.every((answer) => Number.isFinite(answer))) throw damagedDocument('a leaf without a finite answer');
  const splits = splitsOf(tree, leaves - 1, features);
  const { old, ...ordered } = parentFirst(childrenOf(splits, leaves));
  return { ...ordered, ...testedBy(splits), ...inOrder(old, { splits, answers, ...readRest(tree, splits, spend) }) };
}

interface Content {
  readonly splits: Splits;
  readonly answers: Float64Array;
  /** Of each split the set that it splits by. */
  readonly sets: readonly (Uint32Array | undefined)[];
  readonly counts: { readonly splits: Int32Array; readonly leaves: Int32Array };
}

function readRest(tree: Section, splits: Splits, spend: Spend): Pick<Content, 'sets' | 'counts'> {
  return { sets: setsOf(tree, splits, spend), counts: countsOf(tree, splits.count + 1) };
}

/** The columns of the nodes; `old` has splits first and leaves behind them. */
function inOrder(old: Int32Array, { splits, answers, sets, counts }: Content) {
  const { count, feature, threshold } = splits;
  const column = (ofSplit: (split: number) => number, ofLeaf: (leaf: number) => number) =>
    new Float64Array(old.length).map((_, place) => {
      const node = old[place] ?? 0;
      return node < count ? ofSplit(node) : ofLeaf(node - count);
    });
  const zero = () => 0;
  return {
    feature: new Int32Array(column((split) => feature[split] ?? 0, zero)),
    threshold: column((split) => (sets[split] === undefined ? (threshold[split] ?? NaN) : 0), zero),
    missingLeft: new Uint8Array(column((split) => missingLeft(splits, split), zero)),
    weight: column(
      (split) => counts.splits[split] ?? 0,
      (leaf) => counts.leaves[leaf] ?? 0,
    ),
    values: column(zero, (leaf) => answers[leaf] ?? NaN),
    categoriesOf: (place: number) => sets[old[place] ?? -1],
  };
}

interface Splits {
  readonly count: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly decision: Int32Array;
}

/** A tree of one leaf has no lists of splits. */
function splitsOf(tree: Section, count: number, features: number): Splits {
  if (count === 0) {
    const none = new Int32Array();
    return { count, left: none, right: none, feature: none, threshold: new Float64Array(), decision: none };
  }
  const child = { least: -count - 1, most: count - 1, length: count };
  const threshold = tree.numbers('threshold', count);
  if (threshold.some((number) => Number.isNaN(number))) throw damagedDocument('a threshold of NaN');
  return {
    count,
    left: tree.integers('left_child', child),
    right: tree.integers('right_child', child),
    feature: tree.integers('split_feature', { least: 0, most: features - 1, length: count }),
    threshold,
    decision: tree.integers('decision_type', { least: 0, most: 15, length: count }),
  };
}

/** Splits and then leaves in one row of numbers. */
function childrenOf({ count, left, right }: Splits, leaves: number): Children {
  const joined = (children: Int32Array) => {
    const nodes = new Int32Array(count + leaves).fill(-1);
    nodes.set(children.map((child) => (child < 0 ? count + ~child : child)));
    return nodes;
  };
  return { left: joined(left), right: joined(right) };
}

function missingType(decision: number): number {
  return (decision >> 2) & 3;
}

/**
 * Where NaN goes. Without missing values in training NaN counts as 0, so it goes where 0 goes; at a set it goes right.
 */
function missingLeft({ decision, threshold }: Splits, split: number): number {
  const flags = decision[split] ?? 0;
  if ((flags & IS_SET) !== 0) return 0;
  if (missingType(flags) === 0) return (threshold[split] ?? 0) >= 0 ? 1 : 0;
  return (flags & DEFAULT_LEFT) === 0 ? 0 : 1;
}

function testedBy({ decision, feature }: Splits) {
  const tested = { zeroIsMissing: new Set<number>(), zeroIsZero: new Set<number>(), categorical: new Set<number>() };
  for (const [split, flags] of decision.entries()) {
    const column = feature[split] ?? 0;
    const type = missingType(flags);
    if (type > MISSING_NAN) throw damagedDocument(`a kind of missing value that is ${type}`);
    if ((flags & IS_SET) !== 0) tested.categorical.add(column);
    else (type === MISSING_ZERO ? tested.zeroIsMissing : tested.zeroIsZero).add(column);
  }
  return tested;
}

/** For each split by set its bits: categories that go left. */
function setsOf(tree: Section, { decision, threshold }: Splits, spend: Spend): readonly (Uint32Array | undefined)[] {
  if (!decision.some((flags) => (flags & IS_SET) !== 0)) return [];
  const words = tree.numbers('cat_threshold');
  if (!words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)) {
    throw damagedDocument('cat_threshold holds what is no set of bits');
  }
  const bits = Uint32Array.from(words);
  const ends = tree.integers('cat_boundaries', { least: 0, most: words.length });
  spend(words.length * 12);
  return Array.from(decision, (flags, split) => {
    if ((flags & IS_SET) === 0) return undefined;
    const [start = NaN, end = NaN] = ends.subarray(threshold[split] ?? NaN, (threshold[split] ?? NaN) + 2);
    if (!(end > start)) throw damagedDocument(`split ${split} without a set of categories`);
    return bits.subarray(start, end);
  });
}

/** Training rows of each split and leaf; a tree of one leaf does not tell. */
function countsOf(tree: Section, leaves: number): { readonly splits: Int32Array; readonly leaves: Int32Array } {
  const most = 2 ** 31 - 1;
  const none = new Int32Array(leaves);
  const isTold = tree.has('leaf_count') && leaves > 1;
  if (!isTold) return { splits: none, leaves: none };
  return {
    splits: tree.integers('internal_count', { least: 0, most, length: leaves - 1 }),
    leaves: tree.integers('leaf_count', { least: 0, most, length: leaves }),
  };
}
