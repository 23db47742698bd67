// Decision trees as flat typed arrays: the one form that every tree format is brought into, and that the evaluator walks.
import { COMPACT_BYTES, type CompactNodes, compactNodes } from './compact-nodes.ts';
import { shareRows } from './leaf-table.ts';

/**
 * All trees of a model, node after node, each tree level by level. Indexes are positions in these arrays; a right child stands
 * behind its left sibling. A leaf is its own left child and has threshold +Infinity: a step from it stays there, so several walks
 * can go in step without asking which of them have arrived, and the next node is an addition, not a branch: see evaluate.ts.
 */
export interface Trees {
  /** Index of each tree's root, in the order in which the answers are added up. */
  readonly roots: Int32Array<ArrayBuffer>;
  /** Steps from each tree's root to its deepest leaf. */
  readonly depth: Int32Array<ArrayBuffer>;
  /** For each tree, the column of the sum to which the first number of its leaves is added. */
  readonly column: Int32Array<ArrayBuffer>;
  /** Column that a node tests; 0 for a leaf. */
  readonly feature: Int32Array<ArrayBuffer>;
  /** A row goes left when its value is at most this. */
  readonly threshold: Float64Array<ArrayBuffer>;
  /** The left child; the right one is the next. */
  readonly left: Int32Array<ArrayBuffer>;
  /** For a leaf, where its numbers start in `values`; 0 for others. */
  readonly answer: Int32Array<ArrayBuffer>;
  /** 1 where a missing value goes left. */
  readonly missingLeft: Uint8Array<ArrayBuffer>;
  /** Weight of the training rows that reached the node, for explanations. */
  readonly cover: Float64Array<ArrayBuffer>;
  /** The answers of the leaves: `leafWidth` numbers each, which leaves that have the same share. */
  readonly values: Float64Array<ArrayBuffer>;
  readonly leafWidth: number;
  /** Columns of the sum. */
  readonly outputs: number;
  readonly categories?: CategorySplits;
  /** The same nodes again, where rows are float32. */
  readonly compact?: CompactNodes;
}

/** Splits by set: a row goes left when its value is the number of a bit that is set. */
export interface CategorySplits {
  /** For each node where its bits start in `words`, -1 for a node that compares with its threshold. */
  readonly start: Int32Array<ArrayBuffer>;
  /** Number of words of the node. */
  readonly length: Int32Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  /** Whether a value for which a node has no bit goes the way of missing values; else it goes right. */
  readonly unknownIsMissing: boolean;
}

/** One tree on its way into the flat form; a split has two children, a leaf has -1 for both. */
export interface TreeSource {
  readonly count: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly missingLeft?: Uint8Array;
  /** Weight of the training rows of each node. */
  readonly weight: Float64Array;
  /** For a node that splits by set: its bits. */
  readonly categoriesOf?: (node: number) => Uint32Array | undefined;
}

export interface TreesSize {
  readonly trees: number;
  /** Nodes of all trees; every tree has one more leaf than it has splits. */
  readonly nodes: number;
  readonly leafWidth: number;
  readonly outputs: number;
  /** See CategorySplits; false where it is absent. */
  readonly unknownIsMissing?: boolean;
  /** Whether rows are rounded to float32 before the walk. */
  readonly isFloat32?: boolean;
}

/** Writes the numbers of a leaf, `leafWidth` of them, into `values` from `at` on. */
export type WriteLeaf = (node: number, values: Float64Array, at: number) => void;

/** Counts memory of finished arrays. Throws ModelError where it is too much. */
export type Spend = (bytes: number) => void;

/** Memory that a tree of `count` nodes takes in the flat form at most, the compact one included. */
export function bytesOfTree(count: number, leafWidth: number): number {
  return 12 + count * (29 + COMPACT_BYTES) + ((count + 1) / 2) * leafWidth * 8;
}

/** Appends trees whose structure has been checked. */
export class TreesBuilder {
  readonly #trees: Trees;
  readonly #unknownIsMissing: boolean;
  readonly #isFloat32: boolean;
  readonly #words: number[] = [];
  #categories: { readonly start: Int32Array<ArrayBuffer>; readonly length: Int32Array<ArrayBuffer> } | undefined;
  #count = 0;
  #nodes = 0;
  #values = 0;

  constructor({ trees, nodes, leafWidth, outputs, unknownIsMissing = false, isFloat32 = false }: TreesSize) {
    this.#unknownIsMissing = unknownIsMissing;
    this.#isFloat32 = isFloat32;
    this.#trees = {
      roots: new Int32Array(trees),
      depth: new Int32Array(trees),
      column: new Int32Array(trees),
      feature: new Int32Array(nodes),
      threshold: new Float64Array(nodes),
      left: new Int32Array(nodes),
      answer: new Int32Array(nodes),
      missingLeft: new Uint8Array(nodes),
      cover: new Float64Array(nodes),
      values: new Float64Array(((nodes + trees) / 2) * leafWidth),
      leafWidth,
      outputs,
    };
  }

  /** The trees so far. */
  get built(): Trees {
    const { values, leafWidth } = this.#trees;
    // Where a leaf has one number, there is hardly one like another.
    const used = leafWidth > 1 ? shareRows(this.#trees) : values.length;
    const trees = { ...this.#trees, values: used < values.length ? values.slice(0, used) : values };
    if (this.#categories !== undefined) {
      const words = Uint32Array.from(this.#words);
      return { ...trees, categories: { ...this.#categories, words, unknownIsMissing: this.#unknownIsMissing } };
    }
    const compact = this.#isFloat32 ? compactNodes(trees) : undefined;
    return compact === undefined ? trees : { ...trees, compact };
  }

  /** `column`: where in the sum the tree's numbers go. */
  add(tree: TreeSource, writeLeaf: WriteLeaf, column = 0): void {
    const { roots, depth, column: columns } = this.#trees;
    const first = this.#nodes;
    const order = levelOrder(tree);
    roots[this.#count] = first;
    columns[this.#count] = column;
    depth[this.#count] = order.depth;
    this.#count += 1;
    this.#nodes += tree.count;
    this.#addSplits(tree, order, first);
    this.#addLeaves(order, first, writeLeaf);
    if (tree.categoriesOf !== undefined) this.#addCategories(tree.categoriesOf, order, first);
  }

  #addSplits(tree: TreeSource, { nodes, child }: LevelOrder, first: number): void {
    const { feature, threshold, left, missingLeft, cover } = this.#trees;
    for (let place = 0; place < nodes.length; place += 1) {
      const node = nodes[place] ?? 0;
      cover[first + place] = tree.weight[node] ?? 0;
      const below = child[place] ?? LEAF;
      if (below === LEAF) continue;
      feature[first + place] = tree.feature[node] ?? 0;
      threshold[first + place] = tree.threshold[node] ?? 0;
      left[first + place] = first + below;
      missingLeft[first + place] = tree.missingLeft?.[node] ?? 0;
    }
  }

  #addLeaves({ nodes, child }: LevelOrder, first: number, writeLeaf: WriteLeaf): void {
    const { threshold, left, answer, values, leafWidth } = this.#trees;
    let next = this.#values;
    for (let place = 0; place < nodes.length; place += 1) {
      if (child[place] !== LEAF) continue;
      threshold[first + place] = Infinity;
      left[first + place] = first + place;
      writeLeaf(nodes[place] ?? 0, values, next);
      answer[first + place] = next;
      next += leafWidth;
    }
    this.#values = next;
  }

  #addCategories(
    categoriesOf: NonNullable<TreeSource['categoriesOf']>,
    { nodes, child }: LevelOrder,
    first: number,
  ): void {
    const { length } = this.#trees.feature;
    for (let place = 0; place < nodes.length; place += 1) {
      const bits = child[place] === LEAF ? undefined : categoriesOf(nodes[place] ?? 0);
      if (bits === undefined) continue;
      this.#categories ??= { start: new Int32Array(length).fill(-1), length: new Int32Array(length) };
      this.#categories.start[first + place] = this.#words.length;
      this.#categories.length[first + place] = bits.length;
      for (const word of bits) this.#words.push(word);
    }
  }
}

/** The nodes of one tree by their place in the flat form. */
interface LevelOrder {
  /** The source's number of the node at each place. */
  readonly nodes: Int32Array;
  /** The place of its left child; LEAF where there is none. */
  readonly child: Int32Array;
  readonly depth: number;
}

/** The root is nobody's child. */
const LEAF = 0;

function levelOrder({ count, left, right }: TreeSource): LevelOrder {
  const nodes = new Int32Array(count);
  const child = new Int32Array(count);
  let depth = 0;
  let endOfLevel = 1;
  let next = 1;
  for (let place = 0; place < count; place += 1) {
    if (place === endOfLevel) {
      depth += 1;
      endOfLevel = next;
    }
    const node = nodes[place] ?? 0;
    const below = left[node] ?? -1;
    if (below < 0) continue;
    child[place] = next;
    nodes[next] = below;
    nodes[next + 1] = right[node] ?? 0;
    next += 2;
  }
  return { nodes, child, depth };
}

/** numpy's order of addition (pairwise_sum in loops_utils.h): other orders differ in the last bit from 8 numbers on. */
export function pairwiseSum(values: Float64Array, from: number, count: number): number {
  if (count < 8) {
    let sum = 0;
    for (let at = from; at < from + count; at += 1) sum += values[at] ?? 0;
    return sum;
  }
  if (count > 128) {
    const half = Math.floor(count / 2);
    const left = half - (half % 8);
    return pairwiseSum(values, from, left) + pairwiseSum(values, from + left, count - left);
  }
  return blockSum(values, from, count);
}

/** Eight running sums, added up in pairs, then what is left over. */
function blockSum(values: Float64Array, from: number, count: number): number {
  let sums = values.slice(from, from + 8);
  const whole = count - (count % 8);
  for (let at = 8; at < whole; at += 8) sums = sums.map((sum, lane) => sum + (values[from + at + lane] ?? 0));
  while (sums.length > 1) {
    const pairs = sums;
    sums = new Float64Array(pairs.length / 2).map((_, lane) => (pairs[2 * lane] ?? 0) + (pairs[2 * lane + 1] ?? 0));
  }
  return values.subarray(from + whole, from + count).reduce((sum, value) => sum + value, sums[0] ?? 0);
}
