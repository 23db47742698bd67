import { expect, it } from 'vitest';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { contributionsOf } from './explanation.ts';

it('takes a bounded number of requests at a time, and more when they are done', async () => {
  const { explainer, features } = modelOfCase(goldenCase('RandomForestRegressor/1.9.1'));
  if (explainer === undefined) throw new TypeError('a forest has an explainer');
  const rows = { values: new Float64Array(features), count: 1 };

  const answers = await Promise.allSettled(Array.from({ length: 40 }, () => contributionsOf(explainer, rows)));
  const refused = answers.filter(({ status }) => status === 'rejected');

  expect(refused).toHaveLength(8);
  expect(refused[0]).toMatchObject({ reason: { status: 503 } });
  expect(await contributionsOf(explainer, rows)).toHaveLength(features);
});
