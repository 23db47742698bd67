import { expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import { ModelMonitor } from './monitor.ts';

const REFERENCE = {
  features: { a: { edges: [0, 1, 2], counts: [1, 1] } },
  prediction: { categories: ['low', 'medium', 'high'], counts: [0, 0, 1] },
};

function aMonitor() {
  const served = aServedModel(REFERENCE);
  return { served, monitor: new ModelMonitor({ current: () => served, windowMs: 60_000, minRows: 1 }) };
}

const countsOf = ({ classes }: ModelMonitor) => classes.read().map(({ count }) => count);

it('counts the class that was answered, even where it is not the likeliest', () => {
  const { served, monitor } = aMonitor();

  monitor.row({ served, row: Float64Array.of(1, 7), now: performance.now() }, Float64Array.of(0.8, 0.1, 0.1), 2);

  expect(countsOf(monitor)).toEqual([0, 0, 1]);
  expect(monitor.drift?.read()).toMatchObject({ rows: 1, prediction: 0 });
});

it.each([0, 1, 16_384, 16_385, 50_000])('counts each of %i rows once, whatever part they came in', async (count) => {
  const { served, monitor } = aMonitor();
  const predictions = Float64Array.from({ length: count }, (_, row) => row % 3);
  const probabilities = new Float64Array(3 * count);

  await monitor.rows(served, new Float64Array(2 * count).fill(0.5), { predictions, probabilities });

  const third = Math.floor(count / 3);
  const expected = [0, 1, 2].map((at) => third + Number(count % 3 > at));
  expect(countsOf(monitor)).toEqual(count === 0 ? [] : expected);
  const { rows, skipped } = monitor.drift?.read() ?? { rows: 0, skipped: 0 };
  expect(rows + skipped).toBe(count);
});

it('takes probabilities alone, a part at a time', async () => {
  const { served, monitor } = aMonitor();
  const probabilities = Float64Array.from({ length: 3 * 20_000 }, (_, at) => Number(at % 3 === 1));

  await monitor.rows(served, new Float64Array(2 * 20_000), { probabilities });

  expect(countsOf(monitor)).toEqual([0, 20_000, 0]);
});
