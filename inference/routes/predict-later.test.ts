import { expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { Connections } from '../connections.ts';
import { createMetrics } from '../metrics.ts';
import { laterPredictor } from './predict-later.ts';

it('counts a request whose explanation fails when its answer is there as one that has failed', async () => {
  const model = modelOfCase(goldenCase('RandomForestClassifier/1.9.1'));
  const names = Array.from({ length: model.features }, (_, at) => `f${at}`);
  const metrics = createMetrics({ slot: () => undefined, modelName: () => 'm', connections: new Connections() });
  const predict = laterPredictor({ current: aServedModel(undefined, model, names) }, metrics);
  const asked = { body: Buffer.from('{"basket_items":{}}'), contentType: 'application/json', explain: true };

  // more than may wait for the explanations of others
  const answers = await Promise.allSettled(Array.from({ length: 40 }, async () => predict(asked, () => undefined)));

  const failed = answers.filter(({ status }) => status === 'rejected').length;
  expect(failed).toBeGreaterThan(0);
  expect(metrics.served()).toBe(40 - failed);
  expect(await metrics.text()).toContain(`model_infer_request_failure{model_name="m"} ${failed}\n`);
});
