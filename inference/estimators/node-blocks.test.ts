import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inBlocks } from './node-blocks.ts';

/** Trees grown by splitting one leaf after the other; children are neighbours, a leaf is its own left child. */
const trees = fc.array(fc.array(fc.nat(1_000_000), { maxLength: 60 }), { minLength: 1, maxLength: 8 }).map((splits) => {
  const [left, roots]: [number[], number[]] = [[], []];
  for (const choices of splits) {
    const leaves = [left.length];
    roots.push(left.length);
    left.push(left.length);
    for (const choice of choices) {
      const [leaf = 0] = leaves.splice(choice % leaves.length, 1);
      left[leaf] = left.length;
      leaves.push(left.length, left.length + 1);
      left.push(left.length, left.length + 1);
    }
  }
  return { roots: Int32Array.from(roots), left: Int32Array.from(left) };
});

it('gives each node a place of its own, siblings two that are neighbours, and leaves little free', () => {
  fc.assert(
    fc.property(trees, ({ roots, left }) => {
      const { places, length } = inBlocks({ roots, left });

      expect(new Set(places).size).toBe(left.length);
      expect(Math.max(...places)).toBe(length - 1);
      expect(length).toBeLessThanOrEqual(Math.ceil((left.length * 4) / 3) + 8);
      for (const [node, child] of left.entries()) {
        if (child !== node) expect(places[child + 1]).toBe((places[child] ?? 0) + 1);
      }
    }),
  );
});

it('has two levels of a full tree in a line', () => {
  const levels = 7;
  const left = Int32Array.from({ length: 2 ** levels - 1 }, (_, node) =>
    node < 2 ** (levels - 1) - 1 ? 2 * node + 1 : node,
  );
  const { places } = inBlocks({ roots: Int32Array.of(0), left });
  const lineOf = (node: number) => Math.floor((places[node] ?? 0) / 8);
  const linesTo = (leaf: number) => {
    const lines = new Set<number>();
    for (let node = leaf; node > 0; node = Math.floor((node - 1) / 2)) lines.add(lineOf(node));
    return lines.size;
  };

  const leaves = Array.from({ length: 2 ** (levels - 1) }, (_, at) => 2 ** (levels - 1) - 1 + at);
  expect(leaves.map(linesTo)).toEqual(leaves.map(() => 3));
});
