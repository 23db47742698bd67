// The nodes of trees in eight bytes each, for rows of float32. A step of a walk then reads one line of the cache instead of three, and its last one has the
// answer as well: beside the work of a server, which takes the caches too, waiting for memory is most of what a prediction costs.
import { inBlocks } from './node-blocks.ts';
import type { Trees } from './trees.ts';

/** Two words a node, seen as numbers of either kind. */
export interface CompactNodes {
  /** The first word of a split: its threshold, rounded down to a float32, which parts float32 numbers as the float64 does. */
  readonly thresholds: Float32Array<ArrayBuffer>;
  /**
   * The first word of a leaf: NaN, which no number is above, so that a step from a leaf stays there; its low bits say which leaf's numbers are the answer. The
   * second word: the left child (of a leaf itself), and in the low bits the column that is tested.
   */
  readonly words: Int32Array<ArrayBuffer>;
  /** Where each tree begins. */
  readonly roots: Int32Array<ArrayBuffer>;
}

export const COLUMN_BITS = 8;
export const COLUMN_MASK = 2 ** COLUMN_BITS - 1;
/** With the sign bit left alone: a shift is then a whole number of 32 bits. */
const MAX_NODES = 2 ** (31 - COLUMN_BITS);
const NAN_BITS = 0x7fc00000;
/** What a NaN has room for. */
export const ANSWER_MASK = 2 ** 22 - 1;

const NODE_BYTES = 8;
/** Bytes of a node at most, with what its block leaves free. */
export const COMPACT_BYTES = 11;

/** Undefined where there are more nodes, columns or answers than there is room for. */
export function compactNodes(trees: Trees): CompactNodes | undefined {
  const { roots, feature, leafWidth, values } = trees;
  if (values.length / leafWidth > ANSWER_MASK || largest(feature) > COLUMN_MASK) return undefined;
  const { places, length } = inBlocks(trees);
  if (length > MAX_NODES) return undefined;
  const buffer = new ArrayBuffer(length * NODE_BYTES);
  const nodes = { thresholds: new Float32Array(buffer), words: new Int32Array(buffer) };
  for (let tree = 0; tree < roots.length; tree += 1) {
    writeNodes(trees, places, { from: roots[tree] ?? 0, to: roots[tree + 1] ?? feature.length }, nodes);
  }
  return { ...nodes, roots: Int32Array.from(roots, (root) => places[root] ?? 0) };
}

interface Range {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

type Written = Pick<CompactNodes, 'thresholds' | 'words'>;

/** Of one tree: V8 compiles a function that is called often sooner, and for good, than the middle of a long loop. */
function writeNodes(
  { feature, threshold, left, answer, leafWidth }: Trees,
  places: Int32Array,
  { from, to }: Range,
  nodes: Written,
): void {
  const { words } = nodes;
  for (let node = from; node < to; node += 1) {
    const child = left[node] ?? 0;
    const at = 2 * (places[node] ?? 0);
    if (child === node) words[at] = NAN_BITS | ((answer[node] ?? 0) / leafWidth);
    else writeRoundedDown(nodes, at, threshold[node] ?? 0);
    words[at + 1] = ((places[child] ?? 0) << COLUMN_BITS) | (feature[node] ?? 0);
  }
}

function largest(numbers: Int32Array): number {
  let found = 0;
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] ?? 0;
    if (number > found) found = number;
  }
  return found;
}

/** The greatest float32 that is not above `value`. */
export function writeRoundedDown({ thresholds, words }: Written, at: number, value: number): void {
  thresholds[at] = value;
  const nearest = thresholds[at] ?? 0;
  if (!(nearest > value)) return;
  // numbers of one sign are in the order of their bits; below zero begin those with the sign as the highest bit
  words[at] = nearest === 0 ? -0x7fffffff : (words[at] ?? 0) + (nearest > 0 ? -1 : 1);
}
