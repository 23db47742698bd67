// The bins of many histograms in a few flat arrays, so that finding the bin of a number is a short walk without objects. Pure.

/** One histogram, in the numbers that a row holds. */
export interface Binning {
  /** Ascending edges, or ascending codes of categories. */
  readonly points: readonly number[];
  readonly isCategorical: boolean;
  /** As many as bins: one fewer than edges, as many as categories. */
  readonly counts: readonly number[];
  readonly missing: number;
}

export type Side = 'below' | 'above' | 'unknown';
export const SIDES: readonly Side[] = ['below', 'above', 'unknown'];

/** Each histogram has a slot for each bin, one for missing values, and one for unknown categories. */
export interface Bins {
  /** Where the points and slots of each histogram begin; one more than there are histograms. */
  readonly pointsFrom: Int32Array;
  readonly slotsFrom: Int32Array;
  readonly isCategorical: Uint8Array;
  readonly points: Float64Array;
  /** For 64 equal cells between the first and last point of each histogram: the last point that is not above the beginning of the cell. */
  readonly cells: Int32Array;
  readonly cellsPerUnit: Float64Array;
  /** Share of each slot. */
  readonly expected: Float64Array;
}

const MORE_SLOTS = 2;
const CELLS = 64;

export function binsOf(histograms: readonly Binning[]): Bins {
  const pointsFrom = offsets(histograms.map(({ points }) => points.length));
  const slotsFrom = offsets(histograms.map(({ counts }) => counts.length + MORE_SLOTS));
  return {
    pointsFrom,
    slotsFrom,
    isCategorical: Uint8Array.from(histograms, ({ isCategorical }) => Number(isCategorical)),
    points: Float64Array.from(histograms.flatMap(({ points }) => points)),
    cells: Int32Array.from(histograms.flatMap(({ points }, at) => cellsOf(points, pointsFrom[at] ?? 0))),
    cellsPerUnit: Float64Array.from(histograms, ({ points }) => CELLS / (span(points) || 1)),
    expected: Float64Array.from(histograms.flatMap(sharesOf)),
  };
}

function span(points: readonly number[]): number {
  return (points.at(-1) ?? 0) - (points[0] ?? 0);
}

function cellsOf(points: readonly number[], from: number): number[] {
  return Array.from({ length: CELLS }, (_, cell) => {
    const begin = (points[0] ?? 0) + (cell / CELLS) * span(points);
    return (
      from +
      Math.max(
        0,
        points.findLastIndex((point) => point <= begin),
      )
    );
  });
}

function offsets(sizes: readonly number[]): Int32Array {
  const from = new Int32Array(sizes.length + 1);
  for (const [at, size] of sizes.entries()) from[at + 1] = (from[at] ?? 0) + size;
  return from;
}

function sharesOf({ counts, missing }: Binning): number[] {
  const all = [...counts, missing, 0];
  const sum = all.reduce((total, count) => total + count, 0);
  return all.map((count) => count / sum);
}

/**
 * The slot of a number in one histogram. Below the first and above the last edge it is the first or last bin: how many are out there is told by
 * `outside`, to which 1 is added at 3 · histogram + (0 below, 1 above, 2 unknown).
 */
export function slotOf(bins: Bins, histogram: number, value: number, outside: Float64Array): number {
  const { pointsFrom, slotsFrom, points } = bins;
  const slots = slotsFrom[histogram] ?? 0;
  const end = slotsFrom[histogram + 1] ?? 0;
  if (value !== value) return end - MORE_SLOTS;
  const first = pointsFrom[histogram] ?? 0;
  const last = (pointsFrom[histogram + 1] ?? 0) - 1;
  const at = lastNotAbove(bins, histogram, value);
  const point = points[at] ?? 0;
  if (bins.isCategorical[histogram] === 1) {
    if (point === value) return slots + at - first;
    note(outside, 3 * histogram + 2);
    return end - 1;
  }
  if (value < point) note(outside, 3 * histogram);
  if (at < last) return slots + at - first;
  if (value > point) note(outside, 3 * histogram + 1);
  return slots + last - first - 1;
}

function note(outside: Float64Array, at: number): void {
  outside[at] = (outside[at] ?? 0) + 1;
}

/** Place of the last point that is not above the value; the first when all are. */
function lastNotAbove(bins: Bins, histogram: number, value: number): number {
  const { points, pointsFrom } = bins;
  const first = pointsFrom[histogram] ?? 0;
  const last = (pointsFrom[histogram + 1] ?? 0) - 1;
  let at = guess(bins, histogram, value);
  while (at > first && (points[at] ?? 0) > value) at -= 1;
  while (at < last && (points[at + 1] ?? 0) <= value) at += 1;
  return at;
}

/** By the cell of the value: seldom off by more than one. A binary search takes twice the time, since the processor cannot foresee its turns. */
function guess({ points, pointsFrom, cells, cellsPerUnit }: Bins, histogram: number, value: number): number {
  const cell = (value - (points[pointsFrom[histogram] ?? 0] ?? 0)) * (cellsPerUnit[histogram] ?? 0);
  const at = histogram * CELLS + (cell > 0 ? Math.min(Math.trunc(cell), CELLS - 1) : 0);
  return cells[at] ?? 0;
}
