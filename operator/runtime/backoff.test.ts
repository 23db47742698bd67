import { expect, it } from 'vitest';
import { backoffDelay, jittered } from './backoff.ts';

it('doubles the bound up to the cap', () => {
  const longest = [1, 2, 3, 4, 5, 100, 5000].map((failures) =>
    backoffDelay(failures, { baseMs: 1000, capMs: 8000, random: () => 1 }),
  );
  expect(longest).toEqual([1000, 2000, 4000, 8000, 8000, 8000, 8000]);
});

it('spreads over the whole range below the bound', () => {
  expect([0, 0.25, 0.5].map((value) => backoffDelay(3, { baseMs: 1000, capMs: 8000, random: () => value }))).toEqual([
    0, 1000, 2000,
  ]);
});

it('jitters around a value', () => {
  expect([0, 0.5, 1].map((value) => jittered(300, 0.1, () => value))).toEqual([270, 300, 330]);
});
