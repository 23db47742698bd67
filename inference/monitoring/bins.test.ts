import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binsOf, slotOf } from './bins.ts';
import type { Binning } from './bins.ts';

const numeric = (...points: number[]): Binning => ({
  points,
  isCategorical: false,
  counts: points.slice(1).map(() => 1),
  missing: 0,
});
const categories = (...points: number[]): Binning => ({
  points,
  isCategorical: true,
  counts: points.map(() => 1),
  missing: 0,
});

/** Slot within the histogram, and what was noted as outside of it. */
function slot(histograms: readonly Binning[], at: number, value: number) {
  const bins = binsOf(histograms);
  const outside = new Float64Array(3 * histograms.length);
  const found = slotOf(bins, at, value, outside) - (bins.slotsFrom[at] ?? 0);
  return { found, outside: [...outside.subarray(3 * at, 3 * at + 3)] };
}

describe('a histogram with edges', () => {
  const edges = [numeric(0, 1), numeric(10, 20, 30, 40)];

  it.each([
    [10, 0, [0, 0, 0]],
    [19.9, 0, [0, 0, 0]],
    [20, 1, [0, 0, 0]],
    [39, 2, [0, 0, 0]],
    [40, 2, [0, 0, 0]],
    [40.1, 2, [0, 1, 0]],
    [Infinity, 2, [0, 1, 0]],
    [9.9, 0, [1, 0, 0]],
    [-Infinity, 0, [1, 0, 0]],
    [NaN, 3, [0, 0, 0]],
  ])('puts %d into bin %i', (value, found, outside) => {
    expect(slot(edges, 1, value)).toEqual({ found, outside });
  });

  it('finds the bin that a walk over all edges finds', () => {
    const points = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(points, fc.integer({ min: -60, max: 60 }), (edges, value) => {
        const sorted = edges.sort((a, b) => a - b);
        const walked = sorted.slice(0, -1).findLastIndex((edge) => edge <= value);

        expect(slot([numeric(...sorted)], 0, value).found).toBe(Math.max(walked, 0));
      }),
    );
  });

  it('is right to the last bit beside an edge', () => {
    const ends = fc.tuple(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
    );
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 63 }), ([least, width], cell) => {
        const edges = Array.from({ length: 65 }, (_, at) => least + (at / 64) * width);
        const edge = edges[cell] ?? NaN;
        const before = edge - Math.max(Math.abs(edge), Number.MIN_VALUE) * 1.2e-16;
        fc.pre(before < edge && edges.every((each, at) => at === 0 || each > (edges[at - 1] ?? 0)));

        expect(slot([numeric(...edges)], 0, before).found).toBe(edges.findLastIndex((each) => each <= before));
        expect(slot([numeric(...edges)], 0, edge).found).toBe(cell);
      }),
    );
  });
});

describe('a histogram of categories', () => {
  const three = [numeric(0, 1, 2, 3), categories(-1, 0, 7)];

  it.each([
    [-1, 0, [0, 0, 0]],
    [7, 2, [0, 0, 0]],
    [NaN, 3, [0, 0, 0]],
    [3, 4, [0, 0, 1]],
    [-5, 4, [0, 0, 1]],
    [99, 4, [0, 0, 1]],
  ])('puts %d into slot %i', (value, found, outside) => {
    expect(slot(three, 1, value)).toEqual({ found, outside });
  });
});

it('expects the shares of the counts, missing ones included, and no unknown ones', () => {
  const { expected } = binsOf([
    { points: [0, 1, 2], isCategorical: false, counts: [1, 2], missing: 1 },
    { points: [5], isCategorical: true, counts: [0.5], missing: 0 },
  ]);

  expect([...expected]).toEqual([0.25, 0.5, 0.25, 0, 1, 0, 0]);
});
