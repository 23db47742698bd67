// Whole servers with models whose metadata.json has expressions.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { goldenCase } from '../../test/support/estimator-fixtures.ts';
import { startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { archived } from '../../test/support/model-fixtures.ts';

interface Basket {
  readonly body: string;
  readonly answers: Readonly<Record<string, { readonly sensitivity: string; readonly confidence: number }>>;
}

const docs = readFileSync(new URL('../../docs/preprocessing.md', import.meta.url), 'utf8');
const documented = JSON.parse(/```json\n(.*?)```/s.exec(docs)?.[1] ?? '') as {
  readonly preprocessing: { readonly let: object; readonly features: Readonly<Record<string, string>> };
};

let dir: string;
let path: string;
let server: Rig | undefined;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-expressions-'));
  path = join(dir, 'model.tar.gz');
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});
afterAll(() => rm(dir, { recursive: true }));

/** The server of an artifact with this model file and metadata. */
async function serve(metadata: object, model: Uint8Array): Promise<Rig> {
  await write(metadata, model);
  server = await startInference({ MODEL_PATH: path, ALLOW_PUBLIC_RELOAD: 'true' });
  return server;
}

async function write(metadata: object, model: Uint8Array): Promise<void> {
  await writeFile(
    path,
    await anArchive([
      ['model.joblib', model],
      ['metadata.json', JSON.stringify(metadata)],
    ]),
  );
}

const BASKET = archived('basket-blue', 'model.joblib');
/** The metadata of basket-blue, its features made by the expressions of the docs. */
function basketMetadata(more: object = {}) {
  const { features } = JSON.parse(Buffer.from(archived('basket-blue', 'metadata.json')).toString()) as {
    readonly features: readonly string[];
  };
  const written = features.map((name) => {
    const [, category, kind] = /^category_(.*)_(count|ratio)$/.exec(name) ?? [];
    const model = category === undefined ? name : `category_dairy_${kind ?? ''}`;
    return [name, documented.preprocessing.features[model]?.replaceAll("'dairy'", `'${category ?? ''}'`)];
  });
  const preprocessing = { ...documented.preprocessing, features: Object.fromEntries(written) as object };
  return { version: 'x-1', features, preprocessing, labels: ['Low', 'Medium', 'High'], ...more };
}

/** Three features from a body, for the iris that takes four. */
const IRIS = {
  version: 'i-1',
  features: ['a', 'b', 'c', 'd'],
  preprocessing: { a: 'body.a', b: 'get(body, "b", 3)', c: 'sum(values(body.list))', d: 'body.kind == "big"' },
};
const iris = (more: object = {}) => serve({ ...IRIS, ...more }, archived('iris-sk132', 'model.joblib'));

it('answers every basket by expressions as the Python service does, to the last bit', async () => {
  const baskets = JSON.parse(
    readFileSync(new URL('../../test/fixtures/baskets.json', import.meta.url), 'utf8'),
  ) as readonly Basket[];
  const rig = await serve(basketMetadata(), BASKET);

  const replies = await Promise.all(baskets.map(({ body }) => rig.post('/predict', body)));

  for (const [at, { body, answers }] of baskets.entries()) {
    const { sensitivity, confidence } = answers['basket-blue']!;
    const { status, json } = replies[at]!;
    expect({ body, status, json }).toMatchObject({ body, status: 200, json: { prediction: sensitivity, confidence } });
  }
});

describe('POST /predict with expressions', () => {
  it('answers with the prediction and the probability of every class', async () => {
    const rig = await iris({ labels: { 2: 'virginica' } });

    const { status, json, headers } = await rig.post('/predict', { a: 7.2, list: [6], kind: 'big' });

    const { probabilities } = json as { readonly probabilities: Readonly<Record<string, number>> };
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        prediction: 'virginica',
        confidence: probabilities['virginica'],
        probabilities: {
          0: expect.any(Number) as number,
          1: expect.any(Number) as number,
          virginica: expect.any(Number) as number,
        },
        prediction_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        model_version: 'i-1',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/) as string,
      },
    });
    expect(Object.values(probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    expect(headers.get('x-model-version')).toBe('i-1');
  });

  it('goes by thresholds, and V1 by the model alone', async () => {
    const rig = await iris({ labels: ['setosa', 'versicolor', 'virginica'], thresholds: { versicolor: 0 } });
    const body = { a: 7.2, list: [6], kind: 'big' };

    const { json } = await rig.post('/predict', body);
    const v1 = await rig.post('/v1/models/model:predict', { instances: [[7.2, 3, 6, 1]] });

    expect(json).toMatchObject({ prediction: 'versicolor' });
    expect(v1.json).toEqual({ predictions: [2] });
  });

  it('answers with a number where the model is a regressor', async () => {
    const { bytes, inputs, predict } = goldenCase('RandomForestRegressor/1.9.1');
    const names = inputs[0]!.map((_, at) => `f${at}`);
    const rig = await serve(
      { features: names, preprocessing: Object.fromEntries(names.map((name, at) => [name, `body.row[${at}]`])) },
      bytes,
    );

    const { json } = await rig.post('/predict', { row: inputs[0] });

    expect(json).toEqual({
      prediction: predict[0],
      prediction_id: expect.any(String) as string,
      model_version: '1.0.0',
      timestamp: expect.any(String) as string,
    });
  });

  it('answers with a class where a classifier has no probabilities', async () => {
    const { bytes, inputs, predict } = goldenCase('LinearSVC-texts/1.9.1');
    const names = inputs[0]!.map((_, at) => `f${at}`);
    const rig = await serve(
      { features: names, preprocessing: Object.fromEntries(names.map((name, at) => [name, `body.row[${at}]`])) },
      bytes,
    );

    const replies = await Promise.all(inputs.slice(0, 20).map((row) => rig.post('/predict', { row })));

    expect(replies.map(({ json }) => (json as { prediction: unknown }).prediction)).toEqual(predict.slice(0, 20));
    expect(replies[0]?.json).not.toHaveProperty('confidence');
  });

  it('names the expression that a body does not fit', async () => {
    const rig = await iris();

    const { status, json, headers } = await rig.post('/predict', { list: [1], kind: 'big' });

    expect({ status, json }).toEqual({
      status: 422,
      json: {
        detail: [
          {
            type: 'feature_error',
            loc: ['body'],
            msg: 'features.a: "a" is missing',
            input: {},
            ctx: { error: '"a" is missing', feature: 'features.a' },
          },
        ],
      },
    });
    expect(headers.get('x-model-version')).toBe('i-1');
    expect((await rig.get('/metrics')).text).toMatch(/^model_infer_request_failure\S* 1$/m);
  });

  it.each([
    ['null', { a: null, b: null, list: [1], kind: 1 }, 'Input X contains NaN. Features: a, b'],
    [
      'too large',
      { a: 1e39, list: [1], kind: 1 },
      `Input X contains infinity or a value too large for dtype('float32'). Features: a`,
    ],
  ])('names the feature that is %s', async (_, body, detail) => {
    const rig = await iris();

    expect(await rig.post('/predict', body)).toMatchObject({ status: 400, json: { detail } });
  });

  it.each([
    ['a list', '[]', 422, 'model_attributes_type'],
    ['null', 'null', 422, 'missing'],
    ['nothing', '', 422, 'missing'],
    ['no JSON', '{', 422, 'json_invalid'],
  ])('refuses %s as FastAPI does', async (_, body, status, type) => {
    const rig = await iris();

    expect(await rig.post('/predict', body)).toMatchObject({ status, json: { detail: [{ type }] } });
  });
});

it('goes from a basket to expressions by a reload, and stays with the last good artifact', async () => {
  const rig = await serve({ version: 'b-1', features: basketMetadata().features }, BASKET);
  const reload = async (metadata: object) => {
    await write(metadata, BASKET);
    await rig.post('/model/reload', '');
  };
  expect((await rig.post('/predict', '{"basket_items":{}}')).json).toMatchObject({ sensitivity: 'Low' });

  await reload(basketMetadata());
  await expect
    .poll(async () => (await rig.post('/predict', '{"basket_items":{}}')).json)
    .toMatchObject({ prediction: 'Low' });

  await reload(basketMetadata({ preprocessing: { total_items: 'body.' } }));
  await expect
    .poll(async () => (await rig.get('/metrics')).text)
    .toMatch(/model_reload_total\{result="ArtifactInvalid"\} 1/);
  expect((await rig.post('/predict', '{"basket_items":{}}')).json).toMatchObject({
    prediction: 'Low',
    model_version: 'x-1',
  });
});
