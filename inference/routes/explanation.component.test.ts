// Explanations over every protocol, asked of whole servers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath, startInference, type Rig } from '../../test/support/inference-rig.ts';
import { goldenOf } from '../../test/support/model-fixtures.ts';

interface Explained {
  readonly class?: unknown;
  readonly output: string;
  readonly expected_value: number;
  readonly contributions: Readonly<Record<string, number>>;
}

function sumOf({ expected_value, contributions }: Explained): number {
  return Object.values(contributions).reduce((sum, value) => sum + value, expected_value);
}

describe('a basket', () => {
  const body = { basket_items: { a: { price: 60, quantity: 3, category: 'dairy' } } };
  let rig: Rig;

  beforeAll(async () => {
    rig = await startInference({ MODEL_PATH: fixturePath('basket-blue') });
  });
  afterAll(() => rig.stop());

  it('is explained where that is asked for: the features add up to the confidence', async () => {
    const { status, json } = await rig.post('/predict?explain=true', body);
    const { explanation, confidence } = json as { explanation: Explained; confidence: number };

    expect(status).toBe(200);
    expect(explanation.output).toBe('probability');
    expect(Object.keys(explanation.contributions)).toEqual(
      ((await rig.get('/model/info')).json as { features: string[] }).features,
    );
    expect(sumOf(explanation)).toBeCloseTo(confidence, 12);
  });

  it.each(['/predict', '/predict?explain=false', '/predict?other=1'])('is not by %s', async (path) => {
    const { json } = await rig.post(path, body);

    expect(Object.keys(json as object)).toEqual([
      'sensitivity',
      'confidence',
      'prediction_id',
      'model_version',
      'timestamp',
    ]);
  });

  it('is refused where explain is neither true nor false', async () => {
    expect(await rig.post('/predict?explain=maybe', body)).toMatchObject({
      status: 400,
      json: { detail: 'explain must be true or false' },
    });
  });

  it('is checked before it is explained', async () => {
    expect((await rig.post('/predict?explain=true', {})).status).toBe(422);
  });
});

describe('rows', () => {
  const golden = goldenOf('iris-sk132');
  const rows = golden.inputs.slice(0, 50).map((row) => row.map(Number));
  const probabilities = golden.predict_proba.slice(0, rows.length);
  let rig: Rig;

  beforeAll(async () => {
    rig = await startInference({ MODEL_PATH: fixturePath('iris-sk132'), MODEL_DEPLOYMENT: 'iris' });
  });
  afterAll(() => rig.stop());

  it('are explained over V1, each by the class that is answered', async () => {
    const { json } = await rig.post('/v1/models/iris:explain', { instances: rows });
    const { predictions, explanations } = json as { predictions: unknown[]; explanations: Explained[] };

    expect(predictions).toEqual(golden.predict.slice(0, rows.length));
    expect(explanations.map((explanation) => explanation.class)).toEqual(predictions);
    for (const [at, explanation] of explanations.entries()) {
      expect(sumOf(explanation)).toBeCloseTo(Math.max(...(probabilities[at] ?? [])), 12);
    }
  });

  it('are explained over V2 by tensors of that name', async () => {
    const inputs = [{ name: 'input', shape: [rows.length, 4], datatype: 'FP64', data: rows }];
    const outputs = [{ name: 'contributions' }, { name: 'predict' }, { name: 'expected_value' }];
    const { json } = await rig.post('/v2/models/iris/infer', { inputs, outputs });
    const [contributions, predict, expected] = (json as { outputs: { shape: number[]; data: number[] }[] }).outputs;

    expect([contributions?.shape, predict?.shape, expected?.shape]).toEqual([
      [rows.length, 4, 3],
      [rows.length, 1],
      [3],
    ]);
    const sums = Array.from({ length: rows.length * 3 }, (_, at) => expected?.data[at % 3] ?? NaN);
    for (const [at, value] of (contributions?.data ?? []).entries()) {
      const place = Math.floor(at / 12) * 3 + (at % 3);
      sums[place] = (sums[place] ?? NaN) + value;
    }
    for (const [at, share] of probabilities.flat().entries()) expect(sums[at]).toBeCloseTo(share, 12);
  });
});

describe('a model that cannot be explained', () => {
  let rig: Rig;

  beforeAll(async () => {
    const path = new URL('../../test/fixtures/estimators/LogisticRegression/1.9.1.joblib', import.meta.url).pathname;
    rig = await startInference({ MODEL_PATH: path, MODEL_DEPLOYMENT: 'linear' });
  });
  afterAll(() => rig.stop());

  it.each([
    ['/v1/models/linear:explain', { instances: [] }, 501],
    [
      '/v2/models/linear/infer',
      {
        inputs: [{ name: 'x', shape: [0, 10], datatype: 'FP64', data: [] }],
        outputs: [{ name: 'contributions' }],
      },
      400,
    ],
  ])('says so: %s', async (path, body, status) => {
    const { json, ...answer } = await rig.post(path, body);

    expect({ status: answer.status, json }).toMatchObject({
      status,
      json: { error: expect.stringMatching(/LogisticRegression cannot be explained/) as string },
    });
  });
});
