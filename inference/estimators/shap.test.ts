import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addTrees, goesLeft } from './evaluate.ts';
import { Contributions, shareOf } from './shap.ts';
import { type TreeSource, type Trees, TreesBuilder } from './trees.ts';

const COLUMNS = 4;

interface Leaf {
  readonly weight: number;
}

interface Split {
  readonly feature: number;
  readonly threshold: number;
  readonly missingLeft: boolean;
  readonly left: Node;
  readonly right: Node;
}

type Node = Leaf | Split;

// features are tested again further down, and some nodes have seen no row
const { node } = fc.letrec<{ node: Node; leaf: Leaf; split: Split }>((tie) => ({
  leaf: fc.record({ weight: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 3 })) }),
  split: fc.record({
    feature: fc.integer({ min: 0, max: COLUMNS - 1 }),
    threshold: fc.integer({ min: -2, max: 2 }),
    missingLeft: fc.boolean(),
    left: tie('node'),
    right: tie('node'),
  }),
  node: fc.oneof({ maxDepth: 6, depthSize: 'medium' }, tie('leaf'), tie('split')),
}));

function weightOf(tree: Node): number {
  return 'weight' in tree ? tree.weight : weightOf(tree.left) + weightOf(tree.right);
}

/** A tree in the order in which it is written down. */
function listed(tree: Node): readonly Node[] {
  return 'weight' in tree ? [tree] : [tree, ...listed(tree.left), ...listed(tree.right)];
}

function sourceOf(tree: Node): TreeSource {
  const nodes = listed(tree);
  const of = (number: (split: Split) => number) => nodes.map((each) => ('weight' in each ? -1 : number(each)));
  return {
    count: nodes.length,
    left: Int32Array.from(of(({ left }) => nodes.indexOf(left))),
    right: Int32Array.from(of(({ right }) => nodes.indexOf(right))),
    feature: Int32Array.from(of(({ feature }) => feature)),
    threshold: Float64Array.from(of(({ threshold }) => threshold)),
    missingLeft: Uint8Array.from(of(({ missingLeft }) => Number(missingLeft))),
    weight: Float64Array.from(nodes, weightOf),
  };
}

/** Trees of one output, or of two numbers in each leaf. */
function treesOf(sources: readonly TreeSource[], leafWidth: number): Trees {
  const nodes = sources.reduce((sum, { count }) => sum + count, 0);
  const builder = new TreesBuilder({ trees: sources.length, nodes, leafWidth, outputs: leafWidth });
  for (const [at, source] of sources.entries()) {
    builder.add(source, (leaf, values, to) => values.fill(Math.sin(7 * leaf + at), to, to + leafWidth));
  }
  return builder.built;
}

/** What the trees answer on average when only some features are known: the others follow the training rows. */
function expectation(trees: Trees, row: Float64Array, isKnown: (feature: number) => boolean): number {
  const below = (node: number): number => {
    const left = trees.left[node] ?? node;
    if (left === node) return trees.values[trees.answer[node] ?? 0] ?? NaN;
    const feature = trees.feature[node] ?? 0;
    if (isKnown(feature)) return below(goesLeft(trees, node, row[feature] ?? NaN) ? left : left + 1);
    return shareOf(trees, node, left) * below(left) + shareOf(trees, node, left + 1) * below(left + 1);
  };
  return trees.roots.reduce((sum, root) => sum + below(root), 0);
}

/** Shapley's definition: the mean, over all orders in which features become known, of what a feature changes. */
function shapley(trees: Trees, row: Float64Array, feature: number): number {
  const factorial = (number: number): number => (number < 2 ? 1 : number * factorial(number - 1));
  let sum = 0;
  for (let subset = 0; subset < 2 ** COLUMNS; subset += 1) {
    const has = (other: number) => ((subset >> other) & 1) === 1;
    if (has(feature)) continue;
    const size = Array.from({ length: COLUMNS }, (_, other) => other).filter(has).length;
    const change = expectation(trees, row, (other) => other === feature || has(other)) - expectation(trees, row, has);
    sum += ((factorial(size) * factorial(COLUMNS - size - 1)) / factorial(COLUMNS)) * change;
  }
  return sum;
}

function contributionsOf(trees: Trees, row: Float64Array, steps = Infinity): Float64Array {
  const input = { values: row, rows: row.length / COLUMNS, columns: COLUMNS, hasMissing: true };
  const contributions = new Contributions(trees, input);
  while (!contributions.advance(steps));
  return contributions.values;
}

const cell = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(NaN));
const row = fc.array(cell, { minLength: COLUMNS, maxLength: COLUMNS }).map((cells) => Float64Array.from(cells));
const trees = fc.array(node, { minLength: 1, maxLength: 3 }).map((nodes) => nodes.map(sourceOf));

describe('contributions', () => {
  it("are Shapley's values of the trees' expectations", () => {
    fc.assert(
      fc.property(trees, row, (sources, cells) => {
        const built = treesOf(sources, 1);
        const found = contributionsOf(built, cells);
        for (let feature = 0; feature < COLUMNS; feature += 1) {
          expect(found[feature]).toBeCloseTo(shapley(built, cells, feature), 12);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('and the expectation add up to the answer', () => {
    fc.assert(
      fc.property(trees, row, (sources, cells) => {
        const built = treesOf(sources, 1);
        const sums = new Float64Array(1);
        addTrees(built, { values: cells, rows: 1, columns: COLUMNS, hasMissing: true }, sums);
        const found = contributionsOf(built, cells).reduce((sum, value) => sum + value, 0);

        expect(found + expectation(built, cells, () => false)).toBeCloseTo(sums[0] ?? NaN, 12);
      }),
    );
  });

  it('are the same in pieces, for each of several outputs and rows', () => {
    fc.assert(
      fc.property(trees, row, row, (sources, first, second) => {
        const alone = [...contributionsOf(treesOf(sources, 1), first), ...contributionsOf(treesOf(sources, 1), second)];
        const both = contributionsOf(treesOf(sources, 2), Float64Array.of(...first, ...second), 1);

        expect([...both]).toEqual(alone.flatMap((value) => [value, value]));
      }),
    );
  });
});
