// Trees of libraries that number their nodes as they like: brought into an order in which children come after their parent.
import { damagedDocument } from '../formats/document.ts';

const NONE = -1;

/** Children of each node; a leaf has -1 for both. */
export interface Children {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

export interface Ordered extends Children {
  readonly count: number;
  /** For each node in the new order, its number in the old one. */
  readonly old: Int32Array;
}

/**
 * Walks from node 0, left before right. Throws ModelError unless the nodes that it meets form one binary tree; `unmet` other nodes are left out: those that
 * pruning has taken away.
 */
export function parentFirst({ left, right }: Children, unmet = 0): Ordered {
  const old = new Int32Array(left.length);
  const children = [new Int32Array(left.length).fill(NONE), new Int32Array(left.length).fill(NONE)] as const;
  const met = new Uint8Array(left.length);
  const waiting: Waiting[] = [{ node: 0, parent: NONE, side: 0 }];
  let count = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, parent, side } = next;
    // a number that is none of a node is met here too
    if (met[node] !== 0) throw damagedDocument(`node ${node} has two parents, or is no node`);
    met[node] = 1;
    old[count] = node;
    if (parent !== NONE) children[side][parent] = count;
    waiting.push(...childrenOf(left[node] ?? NONE, right[node] ?? NONE, count));
    count += 1;
  }
  if (count + unmet !== left.length) throw damagedDocument(`${count} nodes of ${left.length} form the tree`);
  const [first, second] = children;
  return { count, old: old.subarray(0, count), left: first.subarray(0, count), right: second.subarray(0, count) };
}

interface Waiting {
  readonly node: number;
  /** In the new order. */
  readonly parent: number;
  readonly side: 0 | 1;
}

/** The right child first: the last one that waits is the first to be walked to. */
function childrenOf(left: number, right: number, parent: number): readonly Waiting[] {
  if (left === NONE && right === NONE) return [];
  return [
    { node: right, parent, side: 1 },
    { node: left, parent, side: 0 },
  ];
}
