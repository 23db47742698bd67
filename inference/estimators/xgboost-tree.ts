// One tree of XGBoost: columns of a document, brought into the order and the sense of our own trees.
import { type Section, damagedDocument } from '../formats/document.ts';
import { parentFirst } from './tree-order.ts';
import type { Spend, TreeSource } from './trees.ts';

export interface XgboostTree extends TreeSource {
  /** The answer of each leaf, a float32. */
  readonly values: Float64Array;
  /** Columns that are split by set, and columns that are split by a threshold. */
  readonly categorical: ReadonlySet<number>;
  readonly numerical: ReadonlySet<number>;
}

const MAX_NODES = 2 ** 27;
/** XGBoost's own limit: what a float32 tells apart. */
const MAX_CATEGORY = 2 ** 24;

/** Number of nodes, before anything is made of them. */
export function nodesOf(tree: Section): number {
  return tree.section('tree_param').integer('num_nodes', 1, MAX_NODES);
}

/** Reads a tree over `features` columns and proves that its walks end. Throws ModelError. */
export function readXgboostTree(tree: Section, features: number, spend: Spend): XgboostTree {
  const length = nodesOf(tree);
  const child = { least: -1, most: length - 1, length };
  const left = tree.integers('left_children', child);
  const right = tree.integers('right_children', child);
  const parameters = tree.section('tree_param');
  const pruned = parameters.has('num_deleted') ? parameters.integer('num_deleted', 0, length - 1) : 0;
  const ordered = parentFirst({ left, right }, pruned);
  const columns = columnsOf(tree, length, ordered.old);
  const sets = setsOf(tree, ordered.old, spend);
  const isSplit = (node: number) => (ordered.left[node] ?? -1) >= 0;
  const tested = { categorical: new Set<number>(), numerical: new Set<number>() };
  for (let node = 0; node < ordered.count; node += 1) {
    if (!isSplit(node)) continue;
    const feature = columns.feature[node] ?? NaN;
    if (!(feature >= 0 && feature < features)) throw damagedDocument(`node ${node} tests feature ${feature}`);
    (columns.isSet[node] === 1 ? tested.categorical : tested.numerical).add(feature);
  }
  return { ...tested, ...inOurSense(ordered, columns, sets) };
}

interface Columns {
  readonly feature: Float64Array;
  /** Thresholds of splits, answers of leaves. */
  readonly condition: Float64Array;
  readonly missingLeft: Float64Array;
  readonly weight: Float64Array;
  readonly isSet: Float64Array;
}

function columnsOf(tree: Section, length: number, old: Int32Array): Columns {
  const column = (key: string) => {
    const numbers = tree.numbers(key, length);
    return new Float64Array(old.length).map((_, place) => numbers[old[place] ?? -1] ?? NaN);
  };
  const weight = column('sum_hessian');
  if (!weight.every((number) => number >= 0 && number < Infinity)) throw damagedDocument('a weight below 0');
  const missingLeft = column('default_left');
  const isSet = tree.has('split_type') ? column('split_type') : new Float64Array(old.length);
  const areFlags = [missingLeft, isSet].every((flags) => flags.every((flag) => flag === 0 || flag === 1));
  if (!areFlags) throw damagedDocument('flags beyond 1');
  // rounded here, since JSON has more digits than a float32
  const condition = column('split_conditions').map(Math.fround);
  return { feature: column('split_indices'), condition, missingLeft, weight, isSet };
}

/** For each node in the new order that splits by set: the categories that go right. */
function setsOf(tree: Section, old: Int32Array, spend: Spend): ReadonlyMap<number, Uint32Array> {
  const most = MAX_CATEGORY;
  const nodes = tree.has('categories_nodes') ? tree.integers('categories_nodes', { least: 0, most: MAX_NODES }) : [];
  if (nodes.length === 0) return new Map();
  const categories = tree.integers('categories', { least: 0, most });
  const starts = tree.integers('categories_segments', { least: 0, most: categories.length, length: nodes.length });
  const sizes = tree.integers('categories_sizes', { least: 0, most: categories.length, length: nodes.length });
  const places = new Map(Array.from(old, (node, place) => [node, place]));
  const sets = new Map<number, Uint32Array>();
  for (const [at, node] of nodes.entries()) {
    const start = starts[at] ?? 0;
    const end = start + (sizes[at] ?? 0);
    if (end > categories.length) throw damagedDocument('a set of categories beyond their list');
    sets.set(places.get(node) ?? -1, bitsOf(categories.subarray(start, end), spend));
  }
  return sets;
}

function bitsOf(categories: Int32Array, spend: Spend): Uint32Array {
  const largest = categories.reduce((most, category) => Math.max(most, category), 0);
  // the words here, and the same among those of all trees
  spend(((largest >>> 5) + 1) * 12);
  const bits = new Uint32Array((largest >>> 5) + 1);
  for (const category of categories) bits[category >>> 5] = (bits[category >>> 5] ?? 0) | (1 << (category & 31));
  return bits;
}

/**
 * XGBoost goes left where a value is less than the threshold, ours where it is at most that: the next float32 below says the same of any float32. XGBoost goes
 * right where a category is in the set, ours left: so the children of such a node change places.
 */
function inOurSense(
  { count, left, right }: { count: number; left: Int32Array; right: Int32Array },
  { feature, condition, missingLeft, weight, isSet }: Columns,
  sets: ReadonlyMap<number, Uint32Array>,
): TreeSource & { readonly values: Float64Array } {
  const isSplit = (node: number) => (left[node] ?? -1) >= 0;
  const swaps = (node: number) => isSplit(node) && isSet[node] === 1;
  for (let node = 0; node < count; node += 1) {
    const sound = swaps(node) ? sets.has(node) : Number.isFinite(condition[node]);
    if (!sound) throw damagedDocument(`node ${node} without a ${isSplit(node) ? 'threshold or set' : 'finite answer'}`);
  }
  const below = previousFloats(condition);
  return {
    count,
    left: left.map((child, node) => (swaps(node) ? (right[node] ?? -1) : child)),
    right: right.map((child, node) => (swaps(node) ? (left[node] ?? -1) : child)),
    feature: new Int32Array(feature.map((number, node) => (isSplit(node) ? number : 0))),
    threshold: below.map((number, node) => (isSet[node] === 1 ? 0 : number)),
    missingLeft: new Uint8Array(missingLeft.map((flag, node) => (swaps(node) ? 1 - flag : flag))),
    weight,
    values: condition,
    categoriesOf: (node) => (swaps(node) ? sets.get(node) : undefined),
  };
}

/** For each finite float32 the largest one that is less. */
export function previousFloats(values: Float64Array): Float64Array {
  const floats = new Float32Array(values);
  const bits = new Int32Array(floats.buffer);
  for (let at = 0; at < floats.length; at += 1) {
    const value = floats[at] ?? NaN;
    // floats of one sign are in the order of their bits
    if (value === 0) floats[at] = -(2 ** -149);
    else bits[at] = (bits[at] ?? 0) + (value > 0 ? -1 : 1);
  }
  return new Float64Array(floats);
}
