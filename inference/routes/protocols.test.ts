import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { goldenOf } from '../../test/support/model-fixtures.ts';

const golden = goldenOf('iris-sk132');
const rows = golden.inputs.slice(0, 5).map((row) => row.map(Number));
const flat = rows.flat();

let server: Rig;

beforeAll(async () => {
  server = await startInference({ MODEL_PATH: fixturePath('iris-sk132'), MODEL_DEPLOYMENT: 'iris' });
});
afterAll(() => server.stop());

async function version(): Promise<string> {
  return ((await server.get('/health')).json as { version: string }).version;
}

describe('V1', () => {
  it('lists the model and says whether it is ready', async () => {
    expect((await server.get('/v1/models')).json).toEqual({ models: ['iris'] });
    expect((await server.get('/v1/models/iris')).json).toEqual({ name: 'iris', ready: true });
  });

  it("answers scikit-learn's labels", async () => {
    const { status, json } = await server.post('/v1/models/iris:predict', { instances: rows });

    expect({ status, json }).toEqual({ status: 200, json: { predictions: golden.predict.slice(0, 5) } });
  });

  it.each([
    ['/v1/models/other:predict', { instances: [] }, 404, /"other" does not exist/],
    ['/v1/models/__proto__:predict', { instances: [] }, 404, /does not exist/],
    ['/v1/models/iris:train', {}, 404, /only call/],
    ['/v1/models/iris:explain', {}, 400, /instances must be a list/],
    ['/v1/models/iris:predict', {}, 400, /instances must be a list/],
    ['/v1/models/iris:predict', '{"instances": [[NaN,1,2,3]]}', 400, /not JSON/],
    ['/v1/models/iris:predict', '[]', 400, /not a JSON object/],
    ['/v1/models/iris:predict', { instances: [[1, 2, 3]] }, 400, /instance 0 must be a list of 4 numbers/],
    ['/v1/models/iris:predict', { instances: [[1, 2, 3, '4']] }, 400, /instance 0 must be a list of 4 numbers/],
    ['/v1/models/iris:predict', { instances: [[1, 2, 3, 1e39]] }, 400, /infinity/],
  ])('%s %j is answered with %i', async (path, body, status, error) => {
    expect(await server.post(path, body)).toMatchObject({
      status,
      json: { error: expect.stringMatching(error) as string },
    });
  });
});

describe('V2', () => {
  const infer = (body: unknown, path = '/v2/models/iris/infer') => server.post(path, body);
  const input = (more: object = {}) => ({ name: 'x', shape: [5, 4], datatype: 'FP64', data: flat, ...more });

  it('describes server and model', async () => {
    expect((await server.get('/v2')).json).toEqual({
      name: 'switchyard',
      version: '0.1.0',
      extensions: ['binary_tensor_data'],
    });
    expect((await server.get('/v2/health/live')).status).toBe(200);
    expect((await server.get('/v2/health/ready')).json).toEqual({ live: true, ready: true });
    expect((await server.get(`/v2/models/iris/versions/${await version()}/ready`)).json).toEqual({
      name: 'iris',
      ready: true,
    });
    expect((await server.get('/v2/models/iris')).json).toEqual({
      name: 'iris',
      versions: [await version()],
      platform: 'sklearn_joblib',
      inputs: [{ name: 'input', datatype: 'FP64', shape: [-1, 4] }],
      outputs: [
        { name: 'predict', datatype: 'INT64', shape: [-1, 1] },
        { name: 'predict_proba', datatype: 'FP64', shape: [-1, 3] },
      ],
    });
  });

  it.each([
    ['flat', flat, 'FP64'],
    ['nested', rows, 'FP32'],
  ])('infers from %s data and gives the id back', async (_, data, datatype) => {
    const { status, json } = await infer({ id: 'i-1', inputs: [input({ data, datatype })] });

    expect({ status, json }).toEqual({
      status: 200,
      json: {
        model_name: 'iris',
        model_version: await version(),
        id: 'i-1',
        outputs: [{ name: 'predict', shape: [5, 1], datatype: 'INT64', data: golden.predict.slice(0, 5) }],
      },
    });
  });

  it('gives probabilities on request, bit for bit', async () => {
    const path = `/v2/models/iris/versions/${await version()}/infer`;

    const { json } = await infer(
      { inputs: [input()], outputs: [{ name: 'predict_proba' }, { name: 'predict' }] },
      path,
    );

    expect(json).toMatchObject({
      outputs: [
        { name: 'predict_proba', shape: [5, 3], datatype: 'FP64', data: golden.predict_proba.slice(0, 5).flat() },
        { name: 'predict', shape: [5, 1] },
      ],
    });
  });

  it('takes and gives tensors as bytes behind the JSON', async () => {
    const bytes = Buffer.from(Float64Array.from(flat).buffer);
    const head = input({ data: undefined, parameters: { binary_data_size: bytes.length } });
    const outputs = [{ name: 'predict_proba', parameters: { binary_data: true } }, { name: 'predict' }];
    const json = Buffer.from(JSON.stringify({ inputs: [head], outputs }));

    const response = await fetch(`${server.url}/v2/models/iris/infer`, {
      method: 'POST',
      headers: { 'inference-header-content-length': String(json.length) },
      body: Buffer.concat([json, bytes]),
    });

    const answer = Buffer.from(await response.arrayBuffer());
    const length = Number(response.headers.get('inference-header-content-length'));
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(JSON.parse(answer.subarray(0, length).toString())).toMatchObject({
      outputs: [
        { name: 'predict_proba', shape: [5, 3], parameters: { binary_data_size: 120 } },
        { name: 'predict', data: golden.predict.slice(0, 5) },
      ],
    });
    const doubles = Array.from({ length: 15 }, (_, at) => answer.readDoubleLE(length + at * 8));
    expect(doubles).toEqual(golden.predict_proba.slice(0, 5).flat());
  });

  it('runs many rows in batches', async () => {
    const data = Array.from({ length: 300 }, () => rows).flat();

    const { json } = await infer({ inputs: [input({ shape: [1500, 4], data })] });

    const labels = Array.from({ length: 300 }, () => golden.predict.slice(0, 5)).flat();
    expect(json).toMatchObject({ outputs: [{ shape: [1500, 1], data: labels }] });
  });

  it.each([
    ['no JSON', '{', /not JSON/],
    ['no inputs', {}, /inputs must be a list/],
    ['another width', { inputs: [input({ shape: [4, 5] })] }, /must be \[rows, 4\]: the model takes 4 features/],
    ['a shape that is a lie', { inputs: [input({ shape: [6, 4] })] }, /does not fit the shape \[6, 4\]/],
    ['a huge shape', { inputs: [input({ shape: [2 ** 53 - 1, 4] })] }, /at most 10000 rows/],
    ['an unknown datatype', { inputs: [input({ datatype: 'fp64' })] }, /datatype must be one of BOOL/],
    ['text', { inputs: [input({ datatype: 'BYTES', data: flat.map(String) })] }, /column 1 .* takes numbers/],
    ['infinity', { inputs: [input({ data: [...flat.slice(1), 1e39] })] }, /infinity/],
    ['an unknown output', { inputs: [input()], outputs: [{ name: 'explain' }] }, /one of predict, predict_proba/],
    [
      'an output that this model has not',
      { inputs: [input()], outputs: [{ name: 'decision_function' }] },
      /RandomForestClassifier has no decision_function/,
    ],
    ['binary data that is not there', { inputs: [{ ...input(), parameters: { binary_data_size: 8 } }] }, /send one/],
  ])('answers 400 for %s', async (_, body, error) => {
    expect(await infer(body)).toMatchObject({ status: 400, json: { error: expect.stringMatching(error) as string } });
  });

  it.each(['/v2/models/other/infer', '/v2/models/iris/versions/99/infer', '/v2/models/__proto__/infer'])(
    'answers 404 for %s',
    async (path) => {
      expect(await infer({ inputs: [input()] }, path)).toMatchObject({
        status: 404,
        json: { error: expect.any(String) as string },
      });
    },
  );
});

describe('limits of V1 and V2', () => {
  let small: Rig;

  beforeAll(async () => {
    small = await startInference({ MODEL_PATH: fixturePath('iris-sk132'), MODEL_DEPLOYMENT: 'iris', MAX_ROWS: '4' });
  });
  afterAll(() => small.stop());

  it.each([
    ['/v1/models/iris:predict', { instances: rows }],
    ['/v2/models/iris/infer', { inputs: [{ name: 'x', shape: [5, 4], datatype: 'FP64', data: flat }] }],
  ])('%s takes no more rows than MAX_ROWS', async (path, body) => {
    const { status, json } = await small.post(path, body);

    expect({ status, json }).toMatchObject({
      status: 400,
      json: { error: expect.stringMatching(/^at most 4 /) as string },
    });
  });

  it.each(['/v1/models/iris:predict', '/v2/models/iris/infer'])('%s takes no compressed body', async (path) => {
    const { status, json } = await small.post(path, {}, { 'content-encoding': 'gzip' });

    expect({ status, json }).toEqual({
      status: 415,
      json: { error: 'Content-Encoding gzip is not supported: send the body as it is' },
    });
  });
});

describe('around the APIs', () => {
  it('answers a preflight and lets every origin in', async () => {
    const preflight = await fetch(`${server.url}/predict`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://shop',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-user-id',
      },
    });

    expect([preflight.status, await preflight.text()]).toEqual([200, 'OK']);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT',
      'access-control-allow-headers': 'x-user-id',
    });
    expect((await server.get('/health', { origin: 'http://shop' })).headers.get('access-control-allow-origin')).toBe(
      '*',
    );
  });

  it('answers another method and another path as Starlette does', async () => {
    const method = await server.get('/predict');
    const path = await server.get('/nothing');

    expect([method.status, method.json, method.headers.get('allow')]).toEqual([
      405,
      { detail: 'Method Not Allowed' },
      'POST',
    ]);
    expect([path.status, path.json]).toEqual([404, { detail: 'Not Found' }]);
  });

  it('counts what it did', async () => {
    await server.post('/predict', '{');
    const { text, headers } = await server.get('/metrics');

    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toMatch(/model_infer_request_success\{model_name="iris"\} \d+/);
    expect(text).toMatch(/model_infer_request_failure\{model_name="iris"\} [1-9]/);
    expect(text).toMatch(/model_info\{version="[^"]+",sha256="[0-9a-f]{64}",revision=""\} 1/);
    expect(text).toMatch(/model_reload_total\{result="loaded"\} 1/);
    expect(text).toMatch(/request_predict_seconds_bucket\{le="0.00005",model_name="iris"\}/);
  });
});
