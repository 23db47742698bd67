import { expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import { ClassTally } from './class-tally.ts';

const modelWith = (change: Parameters<typeof aServedModel>[1]) => aServedModel(undefined, change).model;

it('counts the likeliest class of each row, and goes on under the next model', () => {
  const tally = new ClassTally();

  tally.add(modelWith({}), { probabilities: Float64Array.of(0.1, 0.8, 0.1, 0.5, 0.2, 0.3, 0.1, 0.8, 0.1) });
  tally.add(modelWith({ classes: ['high', 'low'] }), { predictions: Float64Array.of(0, 0, 1) });

  expect(tally.read()).toEqual([
    { label: 'low', count: 2 },
    { label: 'medium', count: 2 },
    { label: 'high', count: 2 },
  ]);
});

it('counts clusters and outliers by their number, and no values of a regressor', () => {
  const tally = new ClassTally();

  tally.add(modelWith({ task: 'outlier', classes: [] }), { predictions: Float64Array.of(1, -1, 1) });
  tally.add(modelWith({ task: 'regressor', classes: [] }), { predictions: Float64Array.of(3.25, 4.5) });

  expect(tally.read()).toEqual([
    { label: '1', count: 2 },
    { label: '-1', count: 1 },
  ]);
});

it('has at most 100 labels and "other"', () => {
  const tally = new ClassTally();
  const clusters = modelWith({ task: 'clusterer', classes: [] });
  const classes = Array.from({ length: 150 }, (_, at) => `class ${at}`);

  tally.add(clusters, { predictions: Float64Array.of(7) });
  tally.add(modelWith({ classes }), { predictions: Float64Array.of(98, 99, 149) });
  tally.add(clusters, { predictions: Float64Array.of(8) });

  const seen = tally.read().filter(({ count }) => count > 0);
  expect(tally.read()).toHaveLength(101);
  expect(seen).toEqual([
    { label: '7', count: 1 },
    { label: 'class 98', count: 1 },
    { label: 'other', count: 3 },
  ]);
});

it('counts the prediction where that is not the likeliest class', () => {
  const tally = new ClassTally();

  tally.add(modelWith({}), { predictions: Float64Array.of(2), probabilities: Float64Array.of(0.8, 0.1, 0.1) });

  expect(tally.read().filter(({ count }) => count > 0)).toEqual([{ label: 'high', count: 1 }]);
});
