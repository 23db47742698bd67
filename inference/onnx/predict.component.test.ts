// POST /predict of whole servers on ONNX files, both ways: by expressions, and by the built-in basket.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { type GoldenCase, expectedOf, goldenCase } from '../../test/support/estimator-fixtures.ts';
import { type Rig, startInference } from '../../test/support/inference-rig.ts';
import { readOnnx } from './file.ts';
import { OnnxSessions } from './sessions.ts';

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const BASKET = { basket_items: { a: { price: 4.5, quantity: 2 }, b: { price: 1.5 } } };
const BASKET_FEATURES = ['total_items', 'total_value', 'avg_item_value', 'unique_items'];
const BASKET_ROW = [3, 10.5, 3.5, 2];

let dir: string;
let path: string;
let server: Rig;
let worker: Worker | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-onnx-predict-'));
  path = join(dir, 'model.tar.gz');
});
afterAll(() => rm(dir, { recursive: true }));
afterEach(() => server.stop());

async function write(model: Uint8Array, metadata: object): Promise<void> {
  await writeFile(
    path,
    await anArchive([
      ['model.onnx', model],
      ['metadata.json', JSON.stringify({ version: 'o-1', ...metadata })],
    ]),
  );
}

async function start(waitForLoad = true): Promise<void> {
  const onnx = new OnnxSessions(() => (worker = new Worker(new URL('./worker.ts', import.meta.url))));
  const env = { MODEL_PATH: path, MODEL_DEPLOYMENT: 'iris', VARIANT: 'blue', ALLOW_PUBLIC_RELOAD: 'true' };
  server = await startInference(env, { onnx, waitForLoad });
}

/** A server whose features are the numbers of `row` in a body. */
async function serveRows({ bytes, inputs: rows }: GoldenCase, more: object = {}): Promise<void> {
  const { inputs } = readOnnx(bytes).signature;
  const names = inputs.length > 1 ? inputs.map(({ name }) => name) : (rows[0]?.map((_, at) => `f${at}`) ?? []);
  const preprocessing = Object.fromEntries(names.map((name, at) => [name, `body.row[${at}]`]));
  await write(bytes, { features: names, preprocessing, ...more });
  await start();
}

async function serveBaskets(name: string): Promise<void> {
  const { bytes, classes } = goldenCase(name);
  await write(bytes, { features: BASKET_FEATURES, labels: classes });
  await start();
}

/** From now on nothing reaches the worker, until it is let go. */
function hold() {
  if (worker === undefined) throw new TypeError('no model has been loaded');
  const there = worker;
  const held = vi.spyOn(there, 'postMessage').mockImplementation(() => undefined);
  return {
    /** Resolves when it has been asked so many times. */
    asked: (times: number) => vi.waitFor(() => expect(held).toHaveBeenCalledTimes(times), 10_000),
    letGo() {
      const orders = held.mock.calls;
      held.mockRestore();
      for (const order of orders) there.postMessage(...order);
    },
  };
}

async function metric(start: string): Promise<number> {
  const line = (await server.get('/metrics')).text.split('\n').find((each) => each.startsWith(start));
  return Number(line?.split(' ').at(-1));
}

describe('a row by expressions', () => {
  it.each([
    ['onnx-RandomForestClassifier/1.18.0'],
    ['onnx-RandomForestClassifier-numbers/1.18.0'],
    ['onnx-LogisticRegression-columns/1.18.0'],
    ['onnx-LinearSVC/1.18.0'],
    ['onnx-RandomForestRegressor/1.18.0'],
    ['onnx-KMeans/1.18.0'],
  ])('gets the answer of %s, whatever others are asked at the same time', async (name) => {
    const golden = goldenCase(name);
    const { inputs, classes, predict_proba: shares } = golden;
    await serveRows(golden);

    const replies = await Promise.all(
      inputs.map((row, at) => server.post('/predict', { row }, at % 2 === 0 ? {} : TRACE)),
    );

    const expected = expectedOf(golden, 'predict') ?? [];
    for (const [at, { json }] of replies.entries()) {
      const { prediction, confidence, probabilities } = json as Record<string, unknown>;
      const found = classes.length > 0 ? classes.indexOf(prediction as string) : Number(prediction);
      const wanted = expected[at] ?? NaN;
      expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-5 * Math.abs(wanted));
      if (shares === undefined) expect(json).not.toHaveProperty('confidence');
      else {
        expect(Object.keys(probabilities as object)).toEqual(classes.map(String));
        expect(confidence).toBeCloseTo(shares[at]?.[wanted] ?? NaN, 5);
      }
    }
  });

  it('goes by labels and thresholds, and counts the class that is answered', async () => {
    await serveRows(goldenCase('onnx-RandomForestClassifier/1.18.0'), {
      labels: { setosa: 'rare' },
      thresholds: { versicolor: 0 },
    });

    const { json } = await server.post('/predict', { row: [5.1, 3.5, 1.4, 0.2] });

    expect(json).toMatchObject({ prediction: 'versicolor', confidence: 0, probabilities: { rare: 1 } });
    expect(await metric('model_predictions_total{model_name="iris",class="versicolor"}')).toBe(1);
  });

  it('names the features of a row that the model does not take', async () => {
    await serveRows(goldenCase('onnx-Pipeline+LogisticRegression/1.18.0'));

    const { status, json } = await server.post('/predict', { row: [null, 1, null, 1] });

    expect({ status, json }).toEqual({
      status: 400,
      json: { detail: 'The model answers NaN: it does not take these values. Features: f0, f2' },
    });
  });

  it('is not explained', async () => {
    const golden = goldenCase('onnx-RandomForestClassifier/1.18.0');
    await serveRows(golden);

    const { status, json } = await server.post('/predict?explain=true', { row: golden.inputs[0] });

    expect({ status, json }).toMatchObject({
      status: 400,
      json: { detail: expect.stringMatching(/^OnnxModel cannot be explained/) as string },
    });
  });
});

describe('a basket', () => {
  it.each([
    ['the short way', {}],
    ["the framework's way", TRACE],
  ])('gets the likeliest of the probabilities, %s', async (_, headers) => {
    await serveBaskets('onnx-network-labels/1.17.0');
    const v2 = await server.post('/v2/models/iris/infer', {
      inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP64', data: BASKET_ROW }],
      outputs: [{ name: 'predict_proba' }],
    });
    const shares = (v2.json as { outputs: { data: number[] }[] }).outputs[0]?.data ?? [];

    const answer = await server.post('/predict', BASKET, { 'x-request-id': 'mine', ...headers });

    expect(answer.json).toEqual({
      sensitivity: ['Low', 'Medium', 'High'][shares.indexOf(Math.max(...shares))],
      confidence: Math.max(...shares),
      prediction_id: expect.any(String) as string,
      model_version: 'o-1',
      timestamp: expect.any(String) as string,
    });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-model-variant': 'blue',
      'x-model-version': 'o-1',
      'x-request-id': 'mine',
    });
  });

  it.each([
    ['a body without a basket', {}, 422],
    ['a basket that Python cannot count', { basket_items: { a: 7 } }, 500],
  ])('is refused alike both ways: %s', async (_, body, status) => {
    await serveBaskets('onnx-network-labels/1.17.0');

    const [short, long] = [await server.post('/predict', body), await server.post('/predict', body, TRACE)];

    expect(short).toMatchObject({ status, json: long.json });
    expect(short.headers.get('x-model-version')).toBe('o-1');
  });

  it('is counted, timed and watched as with any model', async () => {
    await serveBaskets('onnx-network-labels/1.17.0');

    await server.post('/predict', BASKET);
    await server.post('/predict', BASKET, TRACE);
    await server.post('/predict', {});

    expect(await metric('model_infer_request_success{')).toBe(2);
    expect(await metric('model_infer_request_failure{')).toBe(1);
    for (const stage of ['preprocess', 'predict', 'postprocess']) {
      expect(await metric(`request_${stage}_seconds_count{`)).toBe(2);
    }
    const counts = ['setosa', 'versicolor', 'virginica'].map((name) =>
      metric(`model_predictions_total{model_name="iris",class="${name}"}`),
    );
    expect((await Promise.all(counts)).filter((count) => count > 0)).toEqual([2]);
  });

  it('has its own row watched, whatever others are asked before it is answered', async () => {
    const { bytes } = goldenCase('onnx-network-labels/1.17.0');
    const reference = { features: { total_items: { edges: [2, 4], counts: [1] } } };
    await write(bytes, { features: BASKET_FEATURES, reference });
    await start();

    const held = hold();
    const of = (quantity: number) => server.post('/predict', { basket_items: { a: { quantity } } });
    const answers = Promise.all([of(1), of(9), of(1), of(3)]);
    await held.asked(4);
    held.letGo();
    await answers;

    const outside = (side: string) => metric(`model_feature_out_of_range_total{feature="total_items",side="${side}"}`);
    expect([await outside('below'), await outside('above')]).toEqual([2, 1]);
  });

  it('is not answered by a model without probabilities', async () => {
    await serveBaskets('onnx-LinearSVC/1.18.0');

    expect(await server.post('/predict', BASKET)).toMatchObject({
      status: 400,
      json: { detail: expect.stringMatching(/^OnnxModel has no predict_proba/) as string },
    });
  });
});

describe('a request that meets a change', () => {
  const body = JSON.stringify(BASKET);
  const begin = () =>
    request(`${server.url}/predict`, { method: 'POST', headers: { 'content-length': String(body.length) } });

  it('is answered by the model that is there when all of it is', async () => {
    await rm(path, { force: true });
    await start(false);
    const call = begin();
    await new Promise((resolve) => call.write(body.slice(0, 1), resolve));
    await write(goldenCase('onnx-network-labels/1.17.0').bytes, { features: BASKET_FEATURES });
    await server.admin('POST', '/model/reload', { sequence: 2, key: path });

    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    call.end(body.slice(1));
    const [response] = await answered;

    expect([response.statusCode, await json(response)]).toMatchObject([200, { model_version: 'o-1' }]);
  });

  it('is told to come again when the worker ends', async () => {
    await serveBaskets('onnx-network-labels/1.17.0');
    const held = hold();

    const reply = server.post('/predict', BASKET);
    await held.asked(1);
    await worker?.terminate();

    expect(await reply).toMatchObject({
      status: 503,
      json: { detail: 'The ONNX worker has ended; the model is being loaded again' },
    });
    expect(server.logs.map(({ msg }) => msg)).not.toContain('request failed');
    await expect.poll(async () => (await server.post('/predict', BASKET)).status, { timeout: 15_000 }).toBe(200);
  });

  it('of a client that has gone away is answered to nobody, and counted', async () => {
    await serveBaskets('onnx-network-labels/1.17.0');
    const held = hold();
    const call = begin();
    call.on('error', () => undefined).end(body);
    await held.asked(1);
    call.destroy();
    await expect.poll(() => metric('rest_server_requests_in_progress ')).toBe(1); // that for the metrics
    held.letGo();

    expect((await server.post('/predict', BASKET)).status).toBe(200);
    expect(await metric('model_infer_request_success{')).toBe(2);
  });
});
