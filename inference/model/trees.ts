// Decision trees as flat typed arrays: the one form that every tree format is brought into, and that the evaluator walks.

/**
 * All trees of a model, node after node. Indexes are positions in these arrays; children come after their parent. A leaf is a
 * node whose children are itself and whose threshold is +Infinity: a walk that goes on at a leaf stays there, so several
 * walks can go in step without asking each time which of them have arrived. NaN would go nowhere: see evaluate.ts.
 */
export interface Trees {
  /** Index of each tree's root, in the order in which the answers are added up. */
  readonly roots: Int32Array<ArrayBuffer>;
  /** Column that a node tests; 0 for a leaf. */
  readonly feature: Int32Array<ArrayBuffer>;
  /** A row goes left when its value, rounded to float32, is at most this. */
  readonly threshold: Float64Array<ArrayBuffer>;
  readonly left: Int32Array<ArrayBuffer>;
  readonly right: Int32Array<ArrayBuffer>;
  /** For a leaf, where its numbers start in `values`; 0 for others. */
  readonly answer: Int32Array<ArrayBuffer>;
  /** 1 where a missing value goes left. */
  readonly missingLeft: Uint8Array<ArrayBuffer>;
  /** The answers of the leaves: `classes` numbers each. */
  readonly values: Float64Array<ArrayBuffer>;
  readonly classes: number;
  /** Whether NaN is an allowed input. */
  readonly acceptsMissing: boolean;
}

/** One tree on its way into the flat form; a split has two children, a leaf has -1 for both. */
export interface TreeSource {
  readonly count: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly missingLeft?: Uint8Array;
  readonly values: Float64Array;
}

export interface TreesSize {
  readonly trees: number;
  /** Nodes of all trees; every tree has one more leaf than it has splits. */
  readonly nodes: number;
  readonly classes: number;
  readonly acceptsMissing: boolean;
}

/** Memory that a tree of `count` nodes takes in the flat form. */
export function bytesOfTree(count: number, classes: number): number {
  return 4 + count * 25 + ((count + 1) / 2) * classes * 8;
}

/** Appends trees whose structure has been checked. */
export class TreesBuilder {
  readonly built: Trees;
  #trees = 0;
  #nodes = 0;
  #values = 0;

  constructor({ trees, nodes, classes, acceptsMissing }: TreesSize) {
    const leaves = (nodes + trees) / 2;
    this.built = {
      roots: new Int32Array(trees),
      feature: new Int32Array(nodes),
      threshold: new Float64Array(nodes),
      left: new Int32Array(nodes),
      right: new Int32Array(nodes),
      answer: new Int32Array(nodes),
      missingLeft: new Uint8Array(nodes),
      values: new Float64Array(leaves * classes),
      classes,
      acceptsMissing,
    };
  }

  /** `fractions`: the leaves' values are answers as they stand; else they are weights, to be divided by their sum. */
  add(tree: TreeSource, fractions: boolean): void {
    const first = this.#nodes;
    this.built.roots[this.#trees] = first;
    for (let node = 0; node < tree.count; node += 1) {
      if ((tree.left[node] ?? -1) < 0) this.#addLeaf(tree.values, node, first, fractions);
      else this.#addSplit(tree, node, first);
    }
    this.#trees += 1;
    this.#nodes += tree.count;
  }

  #addSplit(tree: TreeSource, node: number, first: number): void {
    const { feature, threshold, left, right, missingLeft } = this.built;
    feature[first + node] = tree.feature[node] ?? 0;
    threshold[first + node] = tree.threshold[node] ?? 0;
    left[first + node] = first + (tree.left[node] ?? 0);
    right[first + node] = first + (tree.right[node] ?? 0);
    missingLeft[first + node] = tree.missingLeft?.[node] ?? 0;
  }

  #addLeaf(source: Float64Array, node: number, first: number, fractions: boolean): void {
    const { classes, threshold, left, right, answer, values } = this.built;
    const from = node * classes;
    const sum = fractions ? 1 : pairwiseSum(source, from, classes);
    const divisor = sum === 0 ? 1 : sum;
    threshold[first + node] = Infinity;
    left[first + node] = first + node;
    right[first + node] = first + node;
    answer[first + node] = this.#values;
    for (let place = 0; place < classes; place += 1)
      values[this.#values + place] = (source[from + place] ?? 0) / divisor;
    this.#values += classes;
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
