import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';

interface Basket {
  readonly body: string;
  readonly answers: Readonly<Record<string, { readonly sensitivity: string; readonly confidence: number }>>;
}

const baskets = JSON.parse(
  readFileSync(new URL('../../test/fixtures/baskets.json', import.meta.url), 'utf8'),
) as readonly Basket[];

describe.each(['basket-blue', 'basket-blue-2', 'basket-green'])('POST /predict with %s', (model) => {
  let server: Rig;

  beforeAll(async () => {
    server = await startInference({ MODEL_PATH: fixturePath(model) });
  });
  afterAll(() => server.stop());

  it('answers every basket as the Python service does, to the last bit', async () => {
    const replies = await Promise.all(baskets.map(({ body }) => server.post('/predict', body)));

    for (const [at, { body, answers }] of baskets.entries()) {
      const { status, json } = replies[at]!;
      expect({ body, status, json }).toMatchObject({ body, status: 200, json: answers[model] });
    }
  });
});

describe('POST /predict', () => {
  let server: Rig;

  beforeAll(async () => {
    server = await startInference({ MODEL_PATH: fixturePath('basket-blue'), VARIANT: 'blue' });
  });
  afterAll(() => server.stop());

  it('answers with exactly the fields of the Python service', async () => {
    const { json, headers } = await server.post('/predict', { basket_items: { a: { price: 12.5 } }, extra: [1] });

    expect(json).toEqual({
      sensitivity: 'Low',
      confidence: 0.4878382087254183,
      prediction_id: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ) as string,
      model_version: 'blue-1',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/) as string,
    });
    expect(headers.get('content-type')).toBe('application/json');
  });

  it('names variant, version and request on every answer', async () => {
    const answers = [
      await server.post('/predict', '{"basket_items":{}}', { 'x-request-id': 'abc-1' }),
      await server.post('/predict', '{', { 'x-request-id': 'abc-1' }),
      await server.get('/nothing', { 'x-request-id': 'abc-1' }),
      await server.post('/predict', Buffer.alloc(2 * 1024 * 1024, 32), { 'x-request-id': 'abc-1' }),
    ];

    for (const { headers } of answers) {
      expect(headers.get('x-model-variant')).toBe('blue');
      expect(headers.get('x-model-version')).toBe('blue-1');
      expect(headers.get('x-request-id')).toBe('abc-1');
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 422, 404, 413]);
  });

  it('makes its own request id where the given one is too long or unprintable', async () => {
    const long = await server.post('/predict', '{}', { 'x-request-id': 'a'.repeat(129) });
    const spaced = await server.post('/predict', '{}', { 'x-request-id': 'a b' });

    expect(long.headers.get('x-request-id')).toMatch(/^[0-9a-f-]+-[0-9a-z]+$/);
    expect(spaced.headers.get('x-request-id')).not.toBe(long.headers.get('x-request-id'));
  });

  const failed = { detail: 'Prediction failed' };
  const infinite = { detail: "Input X contains infinity or a value too large for dtype('float32')." };
  it.each([
    ['an item that is no object', '{"basket_items":{"a":5}}', 500, failed],
    ['an item that is null', '{"basket_items":{"a":null}}', 500, failed],
    ['an item that is a list', '{"basket_items":{"a":[]}}', 500, failed],
    ['text as a number', '{"basket_items":{"a":{"quantity":"2"}}}', 500, failed],
    ['null as a number', '{"basket_items":{"a":{"price":null}}}', 500, failed],
    ['a category that cannot be hashed', '{"basket_items":{"a":{"category":{}}}}', 500, failed],
    ['an infinite price', '{"basket_items":{"a":{"price":1e999}}}', 400, infinite],
    ['Infinity as Python writes it', '{"basket_items":{"a":{"price":-Infinity}}}', 400, infinite],
    ['a price beyond float32', '{"basket_items":{"a":{"price":1e39}}}', 400, infinite],
  ])('refuses %s as Python does', async (_, body, status, json) => {
    expect(await server.post('/predict', body)).toMatchObject({ status, json });
  });

  it('logs a basket that cannot be counted in one line, without a stack', async () => {
    await server.post('/predict', '{"basket_items":{"a":5}}', { 'x-request-id': 'basket-1' });

    const line = server.logs.find(({ requestId }) => requestId === 'basket-1');
    expect(line).toMatchObject({ level: 40, msg: 'request failed', detail: 'a basket item is not an object' });
    expect(JSON.stringify(line)).not.toMatch(/stack|\.ts:/);
  });

  it("refuses NaN in scikit-learn's words", async () => {
    const { status, json } = await server.post('/predict', '{"basket_items":{"a":{"price":NaN}}}');

    expect({ status, json }).toMatchObject({
      status: 400,
      json: {
        detail: expect.stringMatching(
          /^Input X contains NaN\.\nRandomForestClassifier does not accept missing values .*#estimators-that-handle-nan-values$/,
        ) as string,
      },
    });
  });

  it.each([
    ['booleans count as 0 and 1', '{"basket_items":{"a":{"quantity":true,"price":false}}}'],
    ['a null category', '{"basket_items":{"a":{"category":null}}}'],
    ['a category that is a number', '{"basket_items":{"a":{"category":7}}}'],
    ['negative and fractional numbers', '{"basket_items":{"a":{"quantity":-0.5,"price":-3.25}}}'],
    ['an item called __proto__', '{"basket_items":{"__proto__":{"quantity":2}},"__proto__":{"customer_id":5}}'],
    ['an empty basket', '{"basket_items":{}}'],
  ])('accepts what Python accepts: %s', async (_, body) => {
    expect((await server.post('/predict', body)).status).toBe(200);
  });

  it('answers a body of 2 MiB with 413 and goes on', async () => {
    const big = await server.post('/predict', `{"basket_items":{},"x":"${'y'.repeat(2 * 1024 * 1024)}"}`);
    const next = await server.post('/predict', '{"basket_items":{}}');

    expect([big.status, big.json, next.status]).toEqual([413, { detail: 'Request body too large' }, 200]);
  });

  it('survives a body nested without end, in JSON and in the echo of its own refusal', async () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);

    expect((await server.post('/predict', deep)).status).toBe(400);
    expect((await server.post('/predict', `{"basket_items":${deep}}`)).status).toBe(400);
  });
});

it('checks the body before it asks for the model, as FastAPI does', async () => {
  const server = await startInference({ MODEL_PATH: '/nowhere/model.tar.gz' }, { waitForLoad: false });

  const [bad, good] = [await server.post('/predict', '{}'), await server.post('/predict', '{"basket_items":{}}')];

  expect([bad.status, good.status, good.json]).toEqual([422, 503, { detail: 'Model not loaded' }]);
  expect(good.headers.get('x-model-version')).toBe('none');
  await server.stop();
});
