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
  const { feature, threshold, left, answer, leafWidth, values } = trees;
  if (values.length / leafWidth > ANSWER_MASK || largest(feature) > COLUMN_MASK) return undefined;
  const { places, length } = inBlocks(trees);
  if (length > MAX_NODES) return undefined;
  const buffer = new ArrayBuffer(length * NODE_BYTES);
  const [thresholds, words] = [new Float32Array(buffer), new Int32Array(buffer)];
  for (let node = 0; node < feature.length; node += 1) {
    const child = left[node] ?? 0;
    const at = 2 * (places[node] ?? 0);
    if (child === node) words[at] = NAN_BITS | ((answer[node] ?? 0) / leafWidth);
    else writeRoundedDown({ thresholds, words }, at, threshold[node] ?? 0);
    words[at + 1] = ((places[child] ?? 0) << COLUMN_BITS) | (feature[node] ?? 0);
  }
  return { thresholds, words, roots: Int32Array.from(trees.roots, (root) => places[root] ?? 0) };
}

function largest(numbers: Int32Array): number {
  let found = 0;
  for (let at = 0; at < numbers.length; at += 1) found = Math.max(found, numbers[at] ?? 0);
  return found;
}

/** The greatest float32 that is not above `value`. */
export function writeRoundedDown(
  { thresholds, words }: Pick<CompactNodes, 'thresholds' | 'words'>,
  at: number,
  value: number,
): void {
  thresholds[at] = value;
  const nearest = thresholds[at] ?? 0;
  if (!(nearest > value)) return;
  // numbers of one sign are in the order of their bits; below zero begin those with the sign as the highest bit
  words[at] = nearest === 0 ? -0x7fffffff : (words[at] ?? 0) + (nearest > 0 ? -1 : 1);
}
