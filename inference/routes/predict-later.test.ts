import { expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { Counts } from '../monitoring/counts.ts';
import { laterPredictor } from './predict-later.ts';

it('counts a request whose explanation fails when its answer is there as one that has failed', async () => {
  const model = modelOfCase(goldenCase('RandomForestClassifier/1.9.1'));
  const names = Array.from({ length: model.features }, (_, at) => `f${at}`);
  const counts = new Counts();
  const predict = laterPredictor({ current: aServedModel(undefined, model, names) }, counts);
  const asked = { body: Buffer.from('{"basket_items":{}}'), contentType: 'application/json', explain: true };

  // more than may wait for the explanations of others
  const answers = await Promise.allSettled(Array.from({ length: 40 }, async () => predict(asked, () => undefined)));

  const failed = answers.filter(({ status }) => status === 'rejected').length;
  expect(failed).toBeGreaterThan(0);
  expect([counts.served, counts.refused]).toEqual([40 - failed, failed]);
});
