import { describe, expect, it } from 'vitest';
import { ModelError } from '../model/errors.ts';
import { parentFirst } from './tree-order.ts';

const tree = (left: readonly number[], right: readonly number[]) => ({
  left: Int32Array.from(left),
  right: Int32Array.from(right),
});

describe('a tree', () => {
  it('whose children stand before their parent is put into order', () => {
    // 0 -> 3, 1; 3 -> 2, 4
    const ordered = parentFirst(tree([3, -1, -1, 2, -1], [1, -1, -1, 4, -1]));

    expect([...ordered.old]).toEqual([0, 3, 2, 4, 1]);
    expect([...ordered.left]).toEqual([1, 2, -1, -1, -1]);
    expect([...ordered.right]).toEqual([4, 3, -1, -1, -1]);
  });

  it('of one leaf is one', () => {
    expect([...parentFirst(tree([-1], [-1])).old]).toEqual([0]);
  });

  it('leaves out as many nodes as were pruned', () => {
    expect([...parentFirst(tree([1, -1, -1, -1], [3, -1, -1, -1]), 1).old]).toEqual([0, 1, 3]);
  });

  it('as deep as it has nodes costs no stack', () => {
    const splits = 200_000;
    const left = Int32Array.from({ length: 2 * splits + 1 }, (_, node) => (node < splits ? node + 1 : -1));
    const right = left.map((child, node) => (child < 0 ? -1 : splits + 1 + node));

    expect(parentFirst({ left, right }).count).toBe(2 * splits + 1);
  });

  it.each([
    ['a circle', [1, 0], [-1, -1]],
    ['a root that is a child', [0, -1], [1, -1]],
    ['a child of two parents', [1, 3, 3, -1, -1], [2, 4, 4, -1, -1]],
    ['a child twice', [1, -1], [1, -1]],
    ['one child', [1, -1], [-1, -1]],
    ['a child beyond the end', [1, -1, -1], [3, -1, -1]],
    ['a negative child', [1, -1, -1], [-2, -1, -1]],
    ['a node that nobody leads to', [-1, -1], [-1, -1]],
  ])('with %s is refused', (_, left, right) => {
    expect(() => parentFirst(tree(left, right))).toThrow(ModelError);
  });
});
