// Where the nodes of trees lie in memory. A walk reads one node of each level; with a node's children and theirs in one line of the processor's cache it waits
// for half as many lines (the block order of cache-oblivious search trees, two levels to a block: Prokop, 1999).
import type { Trees } from './trees.ts';

/** Nodes of eight bytes in a line of the cache. */
const LINE = 8;
/** What is left free at the end of a line, rather than have a block begin there. */
const MOST_FREE = 2;

export interface NodeBlocks {
  /** By node. */
  readonly places: Int32Array;
  /** One more than the last place: at most a third more than there are nodes, and a line. */
  readonly length: number;
}

interface Work {
  readonly left: Int32Array;
  readonly places: Int32Array;
  readonly waiting: Int32Array;
}

/** The trees one after the other; of each the root, then its blocks, each before those below it. Siblings stay neighbours. */
export function inBlocks({ roots, left }: Pick<Trees, 'roots' | 'left'>): NodeBlocks {
  const places = new Int32Array(left.length);
  /** First nodes of the pairs that blocks begin with. */
  const waiting = new Int32Array(left.length);
  let next = 0;
  for (let tree = 0; tree < roots.length; tree += 1) {
    const root = roots[tree] ?? 0;
    places[root] = next;
    next = placeBelow(root, next + 1, { left, places, waiting });
  }
  return { places, length: next };
}

/** One tree without its root. Answers what comes after it. */
function placeBelow(root: number, from: number, { left, places, waiting }: Work): number {
  let next = from;
  let count = addPair(waiting, 0, left, root);
  while (count > 0) {
    count -= 1;
    const pair = waiting[count] ?? 0;
    const first = left[pair] ?? 0;
    const second = left[pair + 1] ?? 0;
    const size = 2 + (first === pair ? 0 : 2) + (second === pair + 1 ? 0 : 2);
    next = place(places, pair, begin(next, size));
    if (first !== pair) {
      next = place(places, first, next);
      count = addPair(waiting, addPair(waiting, count, left, first + 1), left, first);
    }
    if (second !== pair + 1) {
      next = place(places, second, next);
      count = addPair(waiting, addPair(waiting, count, left, second + 1), left, second);
    }
  }
  return next;
}

/** Where a block begins that would begin at `next`. */
function begin(next: number, size: number): number {
  const free = LINE - (next % LINE);
  return free <= MOST_FREE && free < size ? next + free : next;
}

/** Answers what comes after the pair. */
function place(places: Int32Array, pair: number, at: number): number {
  places[pair] = at;
  places[pair + 1] = at + 1;
  return at + 2;
}

/** The children of a node, where it has any. Answers how many pairs wait then. */
function addPair(waiting: Int32Array, count: number, left: Int32Array, node: number): number {
  const child = left[node] ?? 0;
  if (child === node) return count;
  waiting[count] = child;
  return count + 1;
}
