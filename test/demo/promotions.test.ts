import { expect, it } from 'vitest';
import { readPromotions } from './promotions.ts';

it('finds promotions among other lines of the log', () => {
  const line = {
    level: 'info',
    modelDeployment: 'ml/retail',
    variant: 'blue',
    revision: 'a1b2c3d4',
    sinceListedMs: 812,
    msg: 'revision promoted: every pod reports it',
  };
  const log = ['not json', JSON.stringify({ msg: 'status changed' }), JSON.stringify(line), ''].join('\n');

  expect(readPromotions(log)).toEqual([
    { modelDeployment: 'ml/retail', variant: 'blue', revision: 'a1b2c3d4', sinceListedMs: 812 },
  ]);
});
