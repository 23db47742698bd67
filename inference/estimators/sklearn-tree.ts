// One tree of scikit-learn: the node record is read by the field offsets that the file declares (they differ
// between versions) and checked until no walk through it can leave it, loop, or end in a number that is not an answer.
import { arrayOf, floatsOf, intOf, notAModel } from '../formats/numpy.ts';
import { type Records, flags, floats, integers, recordsOf } from '../formats/records.ts';
import { Instance, type NdArray, type Value, described } from '../formats/pickle-value.ts';

/** Cython's class, whose reduce the file records. */
export const TREE = 'sklearn.tree._tree.Tree';

/** Relative tolerance of sums of floating-point weights: far above rounding, far below a real difference. */
const TOLERANCE = 1e-6;
const NO_CHILD = -1;

/** The columns of one tree, one element per node. */
export interface TreeColumns {
  readonly count: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  /** Rows and summed weights that reached the node in training. */
  readonly samples: Int32Array;
  readonly weight: Float64Array;
  /** Absent before scikit-learn 1.3. */
  readonly missingLeft?: Uint8Array;
  /** `width` numbers per node. Classification: weighted counts (up to 1.3) or fractions (from 1.4); regression: the value. */
  readonly values: Float64Array;
}

/** What all trees of a forest share. */
export interface ForestShape {
  readonly features: number;
  /** Numbers of a node: one per class, or one. */
  readonly width: number;
}

/** A tree as it stands in the file. */
export interface StoredTree {
  readonly shape: ForestShape;
  readonly count: number;
  readonly nodes: Records;
  /** Of all nodes: float64, which may stand at any offset. */
  readonly values: Uint8Array;
}

/** A `sklearn.tree._tree.Tree`, looked at from outside. Throws ModelError. */
export function storedTree(value: Value | undefined, shape: ForestShape): StoredTree {
  if (!(value instanceof Instance) || value.callable.path !== TREE) {
    throw notAModel(`${described(value)} instead of a tree`);
  }
  const { args, state } = value;
  const width = onlyInteger(arrayOf(args[1]));
  if (intOf(args[0]) !== shape.features || intOf(args[2]) !== 1 || width !== shape.width) {
    throw notAModel('a tree with other features or classes than its forest');
  }
  if (!(state instanceof Map)) throw notAModel('a tree without state');
  const count = intOf(state.get('node_count'));
  const nodes = recordsOf(arrayOf(state.get('nodes')));
  if (count < 1 || nodes.count !== count) throw notAModel('a tree of another size');
  return { shape, count, nodes, values: bytesOfValues(arrayOf(state.get('values')), count, shape.width) };
}

/** Whether it says which way missing values go. */
export function hasDirections({ nodes }: StoredTree): boolean {
  return nodes.dtype.fields?.has('missing_go_to_left') === true;
}

/**
 * Memory for the columns of one tree, that trees are read into one after the other: it stays in the processor's cache, and a forest of 100 trees leaves no
 * arrays of each for the garbage collector.
 */
export class TreeRoom {
  readonly #left: Int32Array<ArrayBuffer>;
  readonly #right: Int32Array<ArrayBuffer>;
  readonly #feature: Int32Array<ArrayBuffer>;
  readonly #samples: Int32Array<ArrayBuffer>;
  readonly #threshold: Float64Array<ArrayBuffer>;
  readonly #weight: Float64Array<ArrayBuffer>;
  readonly #missingLeft: Uint8Array<ArrayBuffer>;
  readonly #values: Float64Array<ArrayBuffer>;

  /** For each of these trees, one at a time. */
  constructor(trees: readonly StoredTree[]) {
    const most = trees.reduce((largest, { count }) => Math.max(largest, count), 0);
    const bytes = trees.reduce((largest, { values }) => Math.max(largest, values.length), 0);
    this.#left = new Int32Array(most);
    this.#right = new Int32Array(most);
    this.#feature = new Int32Array(most);
    this.#samples = new Int32Array(most);
    this.#threshold = new Float64Array(most);
    this.#weight = new Float64Array(most);
    this.#missingLeft = new Uint8Array(most);
    this.#values = new Float64Array(bytes / Float64Array.BYTES_PER_ELEMENT);
  }

  /** Reads a tree and proves that its walks end. The answer is valid until the next call of either. Throws ModelError. */
  read(tree: StoredTree): TreeColumns {
    const columns = this.#columnsOf(tree);
    checkStructure(columns, tree.shape);
    return columns;
  }

  /** Of what `read` answers the values alone, unchecked, and valid until the next call of either. */
  readValues({ values }: StoredTree): Float64Array {
    new Uint8Array(this.#values.buffer).set(values);
    return this.#values.subarray(0, values.length / Float64Array.BYTES_PER_ELEMENT);
  }

  #columnsOf(tree: StoredTree): TreeColumns {
    const { count, nodes } = tree;
    return {
      count,
      left: integers(nodes, 'left_child', this.#left.subarray(0, count)),
      right: integers(nodes, 'right_child', this.#right.subarray(0, count)),
      feature: integers(nodes, 'feature', this.#feature.subarray(0, count)),
      threshold: floats(nodes, 'threshold', this.#threshold.subarray(0, count)),
      samples: integers(nodes, 'n_node_samples', this.#samples.subarray(0, count)),
      weight: floats(nodes, 'weighted_n_node_samples', this.#weight.subarray(0, count)),
      ...(hasDirections(tree) && {
        missingLeft: flags(nodes, 'missing_go_to_left', this.#missingLeft.subarray(0, count)),
      }),
      values: this.readValues(tree),
    };
  }
}

/** The only element of `n_classes`. */
function onlyInteger(array: NdArray): number {
  if (array.dtype.kind !== 'i') throw notAModel('n_classes of another type');
  const elements = floatsOf(array);
  return elements.length === 1 ? (elements[0] ?? 0) : 0;
}

function bytesOfValues(array: NdArray, count: number, classes: number): Uint8Array {
  const { data, dtype, shape, fortran } = array;
  const right = dtype.kind === 'f' && dtype.itemSize === 8 && !fortran && data instanceof Uint8Array;
  if (!right || shape.length !== 3 || shape[0] !== count || shape[1] !== 1 || shape[2] !== classes) {
    throw notAModel('node values of another type or size');
  }
  return data;
}

// An element, or NaN where there is none: every check below fails on NaN. One function for each type, and loops instead of callbacks: most of a load is over
// before the compiler has seen enough to make either as fast as the other.

function integer(column: Int32Array, index: number): number {
  return column[index] ?? NaN;
}

function float(column: Float64Array, index: number): number {
  return column[index] ?? NaN;
}

/** Proves that the columns form one binary tree whose walks end. Throws ModelError. */
export function checkStructure(tree: TreeColumns, forest: ForestShape): void {
  const parents = new Uint8Array(tree.count);
  for (let node = 0; node < tree.count; node += 1) {
    const left = integer(tree.left, node);
    const right = integer(tree.right, node);
    if ((left === NO_CHILD) !== (right === NO_CHILD)) throw notAModel(`node ${node} with one child`);
    if (left === NO_CHILD) continue;
    // children come after their parent: a walk only goes forward, so it ends
    if (!(left > node && right > node && left < tree.count && right < tree.count)) {
      throw notAModel(`node ${node} with a child out of order`);
    }
    if (left === right || parents[left] !== 0 || parents[right] !== 0) throw notAModel('nodes that do not form a tree');
    parents[left] = 1;
    parents[right] = 1;
    checkSplit(tree, forest, node, { left, right });
  }
  if (parents.indexOf(0, 1) !== -1) throw notAModel('nodes that do not form a tree');
}

interface Children {
  readonly left: number;
  readonly right: number;
}

function checkSplit(tree: TreeColumns, forest: ForestShape, node: number, { left, right }: Children): void {
  const feature = integer(tree.feature, node);
  if (!(feature >= 0 && feature < forest.features)) throw notAModel(`node ${node} that tests feature ${feature}`);
  // +Infinity is a split of missing values from all others
  const threshold = float(tree.threshold, node);
  if (!(threshold > -Infinity)) throw notAModel(`node ${node} with threshold ${threshold}`);
  const direction = tree.missingLeft === undefined ? 0 : (tree.missingLeft[node] ?? NaN);
  if (!(direction <= 1)) throw notAModel(`node ${node} with direction ${direction} for missing values`);
  if (integer(tree.samples, node) !== integer(tree.samples, left) + integer(tree.samples, right)) {
    throw notAModel(`node ${node} whose children have other rows than it has`);
  }
}

/** Whether these values of nodes, `width` for each, add up to about 1, as fractions do. Weighted counts cannot where there is a split. */
export function holdsFractions(values: Float64Array, width: number): boolean {
  for (let row = 0; row < values.length; row += width) {
    let sum = 0;
    for (let place = row; place < row + width; place += 1) sum += float(values, place);
    if (!(Math.abs(sum - 1) <= TOLERANCE)) return false;
  }
  return true;
}

/** How the numbers of a node follow from those of its children. */
export type Aggregate =
  /** Weights of classes: a parent's are the sum of its children's. */
  | 'count'
  /** Means, by the weights of the nodes. Fractions of classes are such means too. */
  | 'mean'
  /** Neither: medians, or values clipped by monotonic constraints. */
  | 'other';

/** What the numbers of a node may be. */
export interface ValueRules {
  readonly aggregate: Aggregate;
  /** Weights of classes and their shares are not negative. */
  readonly least?: number;
}

/** Checks that node values can be what training computes: finite, and each parent's the aggregate of its children's. Throws ModelError. */
export function checkValues(tree: TreeColumns, width: number, { aggregate, least = -Infinity }: ValueRules): void {
  const largest = checkNumbers(tree.values, 'value', least);
  checkNumbers(tree.weight, 'weight', 0);
  if (aggregate !== 'other') checkAggregates(tree, width, { aggregate, rounding: TOLERANCE * largest });
}

/** The size of the largest. Throws ModelError for infinity, NaN, and what is below `least`. */
function checkNumbers(numbers: Float64Array, what: string, least: number): number {
  let largest = 0;
  for (let index = 0; index < numbers.length; index += 1) {
    const number = float(numbers, index);
    const size = Math.abs(number);
    if (!(size < Infinity)) throw notAModel(`a node with an infinite ${what}`);
    if (number < least) throw notAModel(`a node with a negative ${what} (negative sample weights are not supported)`);
    if (size > largest) largest = size;
  }
  return largest;
}

interface Aggregation {
  readonly aggregate: Aggregate;
  /** Largest difference that rounding in training explains, for a weight of 1. */
  readonly rounding: number;
}

function checkAggregates(tree: TreeColumns, width: number, { aggregate, rounding }: Aggregation): void {
  const { values, weight } = tree;
  const isMean = aggregate === 'mean';
  for (let node = 0; node < tree.count; node += 1) {
    const left = integer(tree.left, node);
    if (left === NO_CHILD) continue;
    const right = integer(tree.right, node);
    const own = isMean ? float(weight, node) : 1;
    const byLeft = isMean ? float(weight, left) : 1;
    const byRight = isMean ? float(weight, right) : 1;
    for (let place = 0; place < width; place += 1) {
      const ofChildren = float(values, left * width + place) * byLeft + float(values, right * width + place) * byRight;
      if (Math.abs(float(values, node * width + place) * own - ofChildren) <= rounding * own) continue;
      throw notAModel(`node ${node} whose children's values do not add up to its own`);
    }
  }
}
