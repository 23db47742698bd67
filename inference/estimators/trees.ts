// Decision trees as flat typed arrays: the one form that every tree format is brought into, and that the evaluator walks.

/**
 * All trees of a model, node after node. Indexes are positions in these arrays; children come after their parent. A leaf is a
 * node whose children are itself and whose threshold is +Infinity: a walk that goes on at a leaf stays there, so several
 * walks can go in step without asking each time which of them have arrived. NaN would go nowhere: see evaluate.ts.
 */
export interface Trees {
  /** Index of each tree's root, in the order in which the answers are added up. */
  readonly roots: Int32Array<ArrayBuffer>;
  /** For each tree, the column of the sum to which the first number of its leaves is added. */
  readonly column: Int32Array<ArrayBuffer>;
  /** Column that a node tests; 0 for a leaf. */
  readonly feature: Int32Array<ArrayBuffer>;
  /** A row goes left when its value is at most this. */
  readonly threshold: Float64Array<ArrayBuffer>;
  readonly left: Int32Array<ArrayBuffer>;
  readonly right: Int32Array<ArrayBuffer>;
  /** For a leaf, where its numbers start in `values`; 0 for others. */
  readonly answer: Int32Array<ArrayBuffer>;
  /** 1 where a missing value goes left. */
  readonly missingLeft: Uint8Array<ArrayBuffer>;
  /** Weight of the training rows that reached the node, for explanations. */
  readonly cover: Float64Array<ArrayBuffer>;
  /** The answers of the leaves: `leafWidth` numbers each. */
  readonly values: Float64Array<ArrayBuffer>;
  readonly leafWidth: number;
  /** Columns of the sum. */
  readonly outputs: number;
  readonly categories?: CategorySplits;
}

/** Splits by set: a row goes left when its value is the number of a bit that is set. */
export interface CategorySplits {
  /** For each node where its bits start in `words`, -1 for a node that compares with its threshold. */
  readonly start: Int32Array<ArrayBuffer>;
  /** Number of words of the node. */
  readonly length: Int32Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
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
}

/** Writes the numbers of a leaf, `leafWidth` of them, into `values` from `at` on. */
export type WriteLeaf = (node: number, values: Float64Array, at: number) => void;

/** Memory that a tree of `count` nodes takes in the flat form. */
export function bytesOfTree(count: number, leafWidth: number): number {
  return 8 + count * 33 + ((count + 1) / 2) * leafWidth * 8;
}

/** Appends trees whose structure has been checked. */
export class TreesBuilder {
  readonly #trees: Trees;
  readonly #words: number[] = [];
  #categories: { readonly start: Int32Array<ArrayBuffer>; readonly length: Int32Array<ArrayBuffer> } | undefined;
  #count = 0;
  #nodes = 0;
  #values = 0;

  constructor({ trees, nodes, leafWidth, outputs }: TreesSize) {
    this.#trees = {
      roots: new Int32Array(trees),
      column: new Int32Array(trees),
      feature: new Int32Array(nodes),
      threshold: new Float64Array(nodes),
      left: new Int32Array(nodes),
      right: new Int32Array(nodes),
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
    if (this.#categories === undefined) return this.#trees;
    return { ...this.#trees, categories: { ...this.#categories, words: Uint32Array.from(this.#words) } };
  }

  /** `column`: where in the sum the tree's numbers go. */
  add(tree: TreeSource, writeLeaf: WriteLeaf, column = 0): void {
    const first = this.#nodes;
    this.#trees.roots[this.#count] = first;
    this.#trees.column[this.#count] = column;
    for (let node = 0; node < tree.count; node += 1) {
      this.#trees.cover[first + node] = tree.weight[node] ?? 0;
      if ((tree.left[node] ?? -1) < 0) this.#addLeaf(node, first, writeLeaf);
      else this.#addSplit(tree, node, first);
    }
    this.#count += 1;
    this.#nodes += tree.count;
  }

  #addSplit(tree: TreeSource, node: number, first: number): void {
    const { feature, threshold, left, right, missingLeft } = this.#trees;
    feature[first + node] = tree.feature[node] ?? 0;
    threshold[first + node] = tree.threshold[node] ?? 0;
    left[first + node] = first + (tree.left[node] ?? 0);
    right[first + node] = first + (tree.right[node] ?? 0);
    missingLeft[first + node] = tree.missingLeft?.[node] ?? 0;
    const bits = tree.categoriesOf?.(node);
    if (bits !== undefined) this.#addCategories(bits, first + node);
  }

  #addCategories(bits: Uint32Array, place: number): void {
    const nodes = this.#trees.feature.length;
    this.#categories ??= { start: new Int32Array(nodes).fill(-1), length: new Int32Array(nodes) };
    this.#categories.start[place] = this.#words.length;
    this.#categories.length[place] = bits.length;
    for (const word of bits) this.#words.push(word);
  }

  #addLeaf(node: number, first: number, writeLeaf: WriteLeaf): void {
    const { leafWidth, threshold, left, right, answer, values } = this.#trees;
    threshold[first + node] = Infinity;
    left[first + node] = first + node;
    right[first + node] = first + node;
    answer[first + node] = this.#values;
    writeLeaf(node, values, this.#values);
    this.#values += leafWidth;
  }
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
