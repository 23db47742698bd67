import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactNodes, writeRoundedDown } from './compact-nodes.ts';
import { addTrees } from './evaluate.ts';
import { type TreeSource, type Trees, TreesBuilder } from './trees.ts';

const COLUMNS = 5;

/** A tree of three levels: splits 0 to 2, leaves 3 to 6. */
function aTree(features: readonly number[], thresholds: readonly number[]): TreeSource {
  return {
    count: 7,
    left: Int32Array.of(1, 3, 5, -1, -1, -1, -1),
    right: Int32Array.of(2, 4, 6, -1, -1, -1, -1),
    feature: Int32Array.from([...features.slice(0, 3), -2, -2, -2, -2]),
    threshold: Float64Array.from([...thresholds.slice(0, 3), -2, -2, -2, -2]),
    weight: new Float64Array(7).fill(1),
  };
}

function built(sources: readonly TreeSource[], isFloat32 = true, leafWidth = 2): Trees {
  const nodes = 7 * sources.length;
  const builder = new TreesBuilder({ trees: sources.length, nodes, leafWidth, outputs: leafWidth, isFloat32 });
  for (const source of sources) {
    builder.add(source, (node, values, at) => {
      for (let place = 0; place < leafWidth; place += 1) values[at + place] = 1 / (node + place);
    });
  }
  return builder.built;
}

function sumsOf(trees: Trees, values: Float32Array): readonly number[] {
  const rows = values.length / COLUMNS;
  const sums = new Float64Array(rows * trees.outputs);
  addTrees(trees, { values, rows, columns: COLUMNS, hasMissing: false }, sums);
  return [...sums];
}

function roundedDown(value: number): number {
  const buffer = new ArrayBuffer(16);
  const nodes = { thresholds: new Float32Array(buffer), words: new Int32Array(buffer) };
  writeRoundedDown(nodes, 2, value);
  return nodes.thresholds[2] ?? NaN;
}

const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.float({ noNaN: true }),
  fc.constantFrom(0, -0, 0.1, 1e-50, -1e-50, 1e300, -1e300, 2 ** -149, 3.5e38),
);

describe('a threshold that is rounded down to float32', () => {
  it('parts float32 numbers as it did', () => {
    fc.assert(
      fc.property(number, number, (threshold, value) => {
        const rounded = roundedDown(threshold);

        expect(Math.fround(rounded)).toBe(rounded);
        for (const one of [Math.fround(value), Math.fround(threshold), rounded]) {
          expect(one <= rounded).toBe(one <= threshold);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('compact nodes', () => {
  it.each([1, 2, 3])('give the answers of the nodes that they are made of, with %i numbers a leaf', (leafWidth) => {
    const source = fc
      .tuple(
        fc.array(fc.nat(COLUMNS - 1), { minLength: 3, maxLength: 3 }),
        fc.array(number, { minLength: 3, maxLength: 3 }),
      )
      .map(([features, thresholds]) => aTree(features, thresholds));
    const rows = fc.array(number, { minLength: 3 * COLUMNS, maxLength: 3 * COLUMNS });

    fc.assert(
      fc.property(fc.array(source, { minLength: 4, maxLength: 9 }), rows, (sources, values) => {
        const input = Float32Array.from(values);

        expect(built(sources, true, leafWidth).compact).toBeDefined();
        expect(sumsOf(built(sources, true, leafWidth), input)).toEqual(sumsOf(built(sources, false, leafWidth), input));
      }),
      { numRuns: 200 },
    );
  });

  it('are made for as many columns as there are bits', () => {
    expect(compactNodes(built([aTree([255, 0, 1], [1, 2, 3])]))).toBeDefined();
    expect(compactNodes(built([aTree([256, 0, 1], [1, 2, 3])]))).toBeUndefined();
  });

  it('are no use to rows of float64', () => {
    const trees = built(Array.from({ length: 4 }, () => aTree([0, 0, 0], [0.1, 0.1, 0.1])));
    const sums = new Float64Array(2);

    addTrees(trees, { values: Float64Array.of(0.1, 0, 0, 0, 0), rows: 1, columns: COLUMNS, hasMissing: false }, sums);

    expect(sums[0]).toBe(4 / 3);
    expect(sumsOf(trees, Float32Array.of(0.1, 0, 0, 0, 0))[0]).not.toBe(4 / 3);
  });
});
