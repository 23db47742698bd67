import { expect, it } from 'vitest';
import { LatencyHistogram } from './latency.ts';

it('tells quantiles to a tenth of a millisecond, and the maximum exactly', () => {
  const histogram = new LatencyHistogram();
  for (let value = 1; value <= 100; value += 1) histogram.add(value);

  expect([histogram.quantile(0.5), histogram.quantile(0.99), histogram.max]).toEqual([50.1, 99.1, 100]);
});

it('keeps what takes longer than its range, and has 0 for nothing', () => {
  const histogram = new LatencyHistogram();
  const empty = histogram.quantile(0.5);
  histogram.add(20_000);

  expect([empty, histogram.quantile(0.5), histogram.max]).toEqual([0, 1000, 20_000]);
});
