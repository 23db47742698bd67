import { expect, it } from 'vitest';
import { SlidingCounts } from './sliding-counts.ts';

const WINDOW = 1200;

function countAt(counts: SlidingCounts, now: number, slot = 0): void {
  const bucket = counts.current(now);
  bucket[slot] = (bucket[slot] ?? 0) + 1;
}

it('holds what was counted in the window, and forgets it a twelfth at a time', () => {
  const counts = new SlidingCounts(2, WINDOW, 0);
  countAt(counts, 0);
  countAt(counts, 99);
  countAt(counts, 100, 1);

  expect([...counts.sum(1199)]).toEqual([2, 1]);
  expect([...counts.sum(1200)]).toEqual([0, 1]);
  expect([...counts.sum(1299)]).toEqual([0, 1]);
  expect([...counts.sum(1300)]).toEqual([0, 0]);
});

it('is empty after a pause longer than the window, and counts on', () => {
  const counts = new SlidingCounts(1, WINDOW, 50);
  countAt(counts, 60);
  countAt(counts, 1_000_000_007);

  expect([...counts.sum(1_000_000_007)]).toEqual([1]);
  expect([...counts.sum(1_000_001_100)]).toEqual([1]);
  expect([...counts.sum(1_000_001_300)]).toEqual([0]);
});
