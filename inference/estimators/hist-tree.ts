// One tree of HistGradientBoosting: numpy records with the fields that the file declares, and sets of categories beside them.
import { arrayOf, floatsOf, notAModel } from '../formats/numpy.ts';
import { flags, floats, integers, recordsOf } from '../formats/records.ts';
import type { Fitted } from './fitted.ts';
import { type TreeColumns, checkStructure, checkValues } from './sklearn-tree.ts';
import { type TreeSource, bytesOfTree } from './trees.ts';

export interface HistTree extends TreeSource {
  /** The answer of each node. */
  readonly values: Float64Array;
}

const SET_WORDS = 8;

/** Reads a TreePredictor whose columns are mapped by `order` (its own number to the number in the request), and proves that its walks end. Throws ModelError. */
export function readHistTree(tree: Fitted, order: readonly number[]): HistTree {
  const records = recordsOf(arrayOf(tree.value('nodes')));
  if (records.count < 1) throw notAModel('a tree without nodes');
  tree.reading.spend(bytesOfTree(records.count, 1));
  const isLeaf = flags(records, 'is_leaf');
  const isCategorical = flags(records, 'is_categorical').map((flag, node) => flag & ~(isLeaf[node] ?? 1));
  const children = (name: string) => integers(records, name).map((child, node) => (isLeaf[node] === 0 ? child : -1));
  const samples = integers(records, 'count');
  const columns: TreeColumns = {
    count: records.count,
    left: children('left'),
    right: children('right'),
    feature: integers(records, 'feature_idx'),
    threshold: floats(records, 'num_threshold'),
    missingLeft: flags(records, 'missing_go_to_left'),
    samples,
    weight: Float64Array.from(samples),
    values: floats(records, 'value'),
  };
  checkStructure(columns, { features: order.length, width: 1 });
  checkValues(columns, 1, { aggregate: 'other' });
  const sets = setsOf(tree, integers(records, 'bitset_idx'), isCategorical);
  return { ...columns, feature: columns.feature.map((feature) => order[feature] ?? 0), categoriesOf: sets };
}

/** For each node the set of categories that go left, undefined for one that compares with a threshold. */
function setsOf(tree: Fitted, index: Int32Array, isCategorical: Uint8Array): (node: number) => Uint32Array | undefined {
  const { shape } = tree.array('raw_left_cat_bitsets');
  const [count = 0, width] = shape;
  if (shape.length !== 2 || width !== SET_WORDS) throw notAModel('sets of categories of another size');
  if (isCategorical.some((flag, node) => flag > 1 || (flag === 1 && !((index[node] ?? -1) < count)))) {
    throw notAModel('a node whose set of categories is missing');
  }
  tree.reading.spend(count * SET_WORDS * 4);
  const words = Uint32Array.from(floatsOf(tree.array('raw_left_cat_bitsets')));
  return (node) => {
    if (isCategorical[node] !== 1) return undefined;
    const start = (index[node] ?? 0) * SET_WORDS;
    return words.subarray(start, start + SET_WORDS);
  };
}
