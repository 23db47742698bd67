import { expect, it } from 'vitest';
import { populationStability } from './psi.ts';

it('is 0 for the same distribution, whatever the number of rows', () => {
  expect(populationStability(Float64Array.of(0.25, 0.75), Float64Array.of(100, 300))).toBe(0);
});

it('has the value that the formula gives', () => {
  // (0.5 − 0.2) · ln(0.5 / 0.2) + (0.5 − 0.8) · ln(0.5 / 0.8)
  expect(populationStability(Float64Array.of(0.2, 0.8), Float64Array.of(7, 7))).toBeCloseTo(0.415888, 6);
});

it('is finite where a bin is empty on either side, and the same both ways round', () => {
  const one = populationStability(Float64Array.of(1, 0), Float64Array.of(0, 5));
  const other = populationStability(Float64Array.of(0, 1), Float64Array.of(5, 0));

  // 2 · (1 − 0.0001) · ln(1 / 0.0001)
  expect(one).toBeCloseTo(18.41884, 4);
  expect(other).toBe(one);
});
