import { expect, it } from 'vitest';
import { Budget } from './budget.ts';

it('lets everything through that is few, and evenly a part of what is many', () => {
  const budget = new Budget(0);

  expect(budget.stride(1, 50, 0)).toBe(1);
  expect(budget.stride(4_000, 50, 0)).toBe(5);
  // 800 of the 999 affordable rows were taken.
  expect(budget.stride(199, 50, 0)).toBe(1);
  expect(budget.stride(1, 50, 0)).toBe(0);
});

it('fills up with time, to what a second gives', () => {
  const budget = new Budget(0);
  budget.stride(2_000, 25, 0);

  expect(budget.stride(1, 25, 0.25)).toBe(0);
  expect(budget.stride(1, 25, 0.5)).toBe(1);
  expect(budget.stride(4_000, 25, 1e6)).toBe(2);
  expect(budget.stride(1, 25, 1e6)).toBe(0);
});

it('is not spent by no rows', () => {
  const budget = new Budget(0);

  expect([budget.stride(0, 5, 0), budget.stride(1, 5, 0)]).toEqual([0, 1]);
});
