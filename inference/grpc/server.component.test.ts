import { connect as http2Connect } from 'node:http2';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../test/cluster/ports.ts';
import { grpcClient } from '../../test/support/grpc-client.ts';
import type { GrpcClient } from '../../test/support/grpc-client.ts';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { goldenOf } from '../../test/support/model-fixtures.ts';

const golden = goldenOf('iris-sk132');
const rows = golden.inputs.slice(0, 5).map((row) => row.map(Number));
const flat = rows.flat();
const labels = golden.predict.slice(0, 5);
const probabilities = golden.predict_proba.slice(0, 5).flat();
const raw = Buffer.from(Float64Array.from(flat).buffer);

const [OK, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE] = [0, 3, 5, 8, 12, 14];

async function start(env: Record<string, string> = {}, options = {}): Promise<Rig> {
  const [port = 0] = await freePorts(1);
  return startInference(
    { MODEL_PATH: fixturePath('iris-sk132'), MODEL_DEPLOYMENT: 'iris', GRPC_PORT: String(port), ...env },
    options,
  );
}

/** Begins a drain, or asks how it goes: how many of its connections are still open. */
async function drain(server: Rig, id: string): Promise<number> {
  return ((await server.admin('POST', '/drain', { id })).json as { remaining: number }).remaining;
}

async function drained(server: Rig, id: string): Promise<void> {
  while ((await drain(server, id)) > 0);
}

const tensor = (more: object = {}) => ({ name: 'x', datatype: 'FP64', shape: [5, 4], ...more });
const typed = (more: object = {}) => ({
  modelName: 'iris',
  inputs: [tensor({ contents: { fp64Contents: flat } })],
  ...more,
});

describe('a server with a model', () => {
  let server: Rig;
  let client: GrpcClient;
  let version: unknown;

  beforeAll(async () => {
    server = await start({ LOG_LEVEL: 'DEBUG' });
    client = grpcClient(server.grpcAddress);
    version = ((await server.get('/health')).json as { version: string }).version;
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  it('describes itself and its model as over REST', async () => {
    expect((await client.call('ServerLive', {})).message).toEqual({ live: true });
    expect((await client.call('ServerReady', {})).message).toEqual({ ready: true });
    expect((await client.call('ModelReady', { name: 'iris', version })).message).toEqual({ ready: true });
    expect((await client.call('ServerMetadata', {})).message).toEqual((await server.get('/v2')).json);
    expect((await client.call('ModelMetadata', { name: 'iris' })).message).toEqual(
      (await server.get('/v2/models/iris')).json,
    );
  });

  it("answers scikit-learn's labels and probabilities in typed contents, bit for bit", async () => {
    const outputs = [{ name: 'predict_proba' }, { name: 'predict' }];

    const { code, message } = await client.call('ModelInfer', typed({ id: 'i-1', outputs, modelVersion: version }));

    expect({ code, message }).toEqual({
      code: OK,
      message: {
        modelName: 'iris',
        modelVersion: version,
        id: 'i-1',
        outputs: [
          { name: 'predict_proba', datatype: 'FP64', shape: [5, 3], contents: { fp64Contents: probabilities } },
          { name: 'predict', datatype: 'INT64', shape: [5, 1], contents: { int64Contents: labels } },
        ],
      },
    });
  });

  it('explains answers as over REST', async () => {
    const outputs = [{ name: 'contributions' }, { name: 'expected_value' }];
    const inputs = [{ name: 'x', datatype: 'FP64', shape: [5, 4], data: flat }];
    const { json } = await server.post('/v2/models/iris/infer', { inputs, outputs });

    const { message } = await client.call('ModelInfer', typed({ outputs }));

    const [contributions, expected] = (json as { outputs: { data: number[] }[] }).outputs;
    expect(message).toMatchObject({
      outputs: [
        { name: 'contributions', datatype: 'FP64', shape: [5, 4, 3], contents: { fp64Contents: contributions?.data } },
        { name: 'expected_value', datatype: 'FP64', shape: [3], contents: { fp64Contents: expected?.data } },
      ],
    });
  });

  it('answers raw contents with raw contents', async () => {
    const request = { modelName: 'iris', inputs: [tensor()], rawInputContents: [raw] };

    const { message } = await client.call('ModelInfer', { ...request, outputs: [{ name: 'predict_proba' }] });

    expect(message).toEqual({
      modelName: 'iris',
      modelVersion: version,
      outputs: [{ name: 'predict_proba', datatype: 'FP64', shape: [5, 3] }],
      rawOutputContents: [Buffer.from(Float64Array.from(probabilities).buffer)],
    });
  });

  it('names variant, version and request in every answer', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const given = { 'x-request-id': 'mine', traceparent };
    const good = await client.call('ModelInfer', typed(), given);
    const bad = await client.call('ModelInfer', { modelName: 'other' }, given);

    for (const { headers } of [good, bad]) {
      expect(headers).toMatchObject({
        'x-model-variant': 'default',
        'x-model-version': version,
        'x-request-id': 'mine',
        traceparent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/) as string,
      });
    }
    const lines = server.logs.filter(({ requestId }) => requestId === 'mine');
    expect(lines.map(({ status, route, traceId }) => [status, route, traceId])).toEqual([
      [OK, '/inference.GRPCInferenceService/ModelInfer', '0af7651916cd43dd8448eb211c80319c'],
      [NOT_FOUND, '/inference.GRPCInferenceService/ModelInfer', '0af7651916cd43dd8448eb211c80319c'],
    ]);
  });

  it('counts a request as over REST', async () => {
    const count = async () =>
      [...(await server.get('/metrics')).text.matchAll(/model_infer_request_(?:success|failure)\{.*\} (\d+)/g)].map(
        ([, number]) => Number(number),
      );
    const [good = 0, bad = 0] = await count();
    await client.call('ModelInfer', typed());
    await client.call('ModelInfer', typed({ inputs: [] }));
    await client.call('ServerLive', {});

    expect(await count()).toEqual([good + 1, bad + 1]);
  });

  it.each([
    ['another model', typed({ modelName: 'other' }), NOT_FOUND, /"other" does not exist/],
    ['another version', typed({ modelVersion: '99' }), NOT_FOUND, /Version "99"/],
    ['no inputs', typed({ inputs: [] }), INVALID_ARGUMENT, /inputs holds no tensor/],
    ['another width', typed({ inputs: [tensor({ shape: [4, 5] })] }), INVALID_ARGUMENT, /do not fit/],
    ['a negative shape', typed({ inputs: [tensor({ shape: [-1, 4] })] }), INVALID_ARGUMENT, /whole numbers/],
    ['too many rows', typed({ inputs: [tensor({ shape: [2 ** 40, 4] })] }), INVALID_ARGUMENT, /at most 10000 rows/],
    ['an unknown datatype', typed({ inputs: [tensor({ datatype: 'BF16' })] }), INVALID_ARGUMENT, /datatype must be/],
    [
      'contents of another datatype',
      typed({ inputs: [tensor({ contents: { fp32Contents: flat } })] }),
      INVALID_ARGUMENT,
      /do not fit the shape \[5, 4\] of FP64/,
    ],
    [
      'contents of two datatypes',
      typed({ inputs: [tensor({ contents: { fp64Contents: flat, boolContents: [true] } })] }),
      INVALID_ARGUMENT,
      /do not fit/,
    ],
    [
      'an integer that its datatype cannot hold',
      typed({ inputs: [tensor({ shape: [1, 4], datatype: 'INT8', contents: { intContents: [1, 2, 3, 128] } })] }),
      INVALID_ARGUMENT,
      /128 is no INT8/,
    ],
    [
      'FP16 that is not raw',
      typed({ inputs: [tensor({ datatype: 'FP16' })] }),
      INVALID_ARGUMENT,
      /FP16 comes in raw_input_contents/,
    ],
    ['raw and typed contents', typed({ rawInputContents: [raw] }), INVALID_ARGUMENT, /send one of them/],
    ['too few raw contents', typed({ rawInputContents: [raw, raw] }), INVALID_ARGUMENT, /1 inputs and 2 raw_input/],
    [
      'infinity',
      typed({ inputs: [tensor({ shape: [1, 4], contents: { fp64Contents: [1, 2, 3, 1e39] } })] }),
      3,
      /infin/,
    ],
    ['an unknown output', typed({ outputs: [{ name: 'explain' }] }), INVALID_ARGUMENT, /one of predict/],
  ])('refuses %s', async (_, request, code, details) => {
    expect(await client.call('ModelInfer', request)).toMatchObject({
      code,
      details: expect.stringMatching(details) as string,
    });
  });

  it('refuses a request that is too large, and goes on', async () => {
    const huge = typed({ inputs: [tensor({ contents: { bytesContents: [Buffer.alloc(2 ** 20)] } })] });

    expect((await client.call('ModelInfer', huge)).code).toBe(RESOURCE_EXHAUSTED);
    expect((await client.call('ModelInfer', typed())).code).toBe(OK);
  });

  it('loads no models over this port', async () => {
    expect(await client.call('RepositoryModelLoad', { modelName: 'iris' })).toMatchObject({
      code: UNIMPLEMENTED,
      details: expect.stringContaining('POST /model/reload') as string,
    });
  });

  it('ends a connection that speaks no HTTP/2', async () => {
    const [host = '', port = ''] = server.grpcAddress.split(':');
    const socket = connect(Number(port), host);
    socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(3));
    socket.resume();
    await once(socket, 'close');

    expect((await client.call('ServerLive', {})).code).toBe(OK);
  });
});

describe('a server without a model', () => {
  let server: Rig;
  let client: GrpcClient;

  beforeAll(async () => {
    server = await start({ MODEL_PATH: '/nowhere/model.tar.gz' }, { waitForLoad: false });
    client = grpcClient(server.grpcAddress);
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  it('lives, and is not ready', async () => {
    expect((await client.call('ServerLive', {})).message).toEqual({ live: true });
    expect((await client.call('ServerReady', {})).message).toEqual({});
    expect((await client.call('ModelReady', { name: 'iris' })).message).toEqual({});
    expect((await client.call('ModelReady', { name: 'other' })).code).toBe(NOT_FOUND);
    expect(await client.call('ModelInfer', typed())).toMatchObject({
      code: UNAVAILABLE,
      headers: { 'x-model-version': 'none' },
    });
  });
});

describe('the end of connections', () => {
  it('comes with a drain, and the client goes on over another one', async () => {
    const server = await start();
    const client = grpcClient(server.grpcAddress);
    const before = await client.call('ModelInfer', typed());
    const begun = await drain(server, 'd-1');
    const during = await Promise.all(Array.from({ length: 20 }, () => client.call('ModelInfer', typed())));
    await drained(server, 'd-1');
    const after = await client.call('ServerReady', {});

    expect([before, ...during, after].map(({ code }) => code)).toEqual(Array.from({ length: 22 }, () => OK));
    expect(begun).toBeGreaterThan(0);
    expect(after.message).toEqual({ ready: true });

    expect(await drain(server, 'd-2')).toBeGreaterThan(0);
    await drained(server, 'd-2');
    expect((await client.call('ServerLive', {})).code).toBe(OK);
    client.close();
    await server.stop();
  });

  it('comes with the end of the process: not ready, what is under way is answered, then nobody listens', async () => {
    const server = await start({ SHUTDOWN_SECONDS: '20' });
    const client = grpcClient(server.grpcAddress);
    await client.call('ServerLive', {});
    const stopped = server.stop(300);
    const leaving = await client.call('ServerReady', {});
    const last = await client.call('ModelInfer', typed());
    await stopped;

    expect([leaving.message, last.code]).toEqual([{}, OK]);
    expect((await client.call('ServerLive', {})).code).toBe(UNAVAILABLE);
    client.close();
  });
});

it('ends calls that are not over when the time of the process is', async () => {
  const server = await start({ SHUTDOWN_SECONDS: '0.1' });
  const client = http2Connect(`http://${server.grpcAddress}`);
  client.on('error', () => undefined);
  const path = '/inference.GRPCInferenceService/ServerLive';
  const call = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  call.on('error', () => undefined).resume();
  await once(call, 'ready');
  await new Promise((resolve) => call.write(Buffer.from([0, 0, 0, 0, 9, 1]), resolve)); // one of nine bytes
  await new Promise((resolve) => client.ping(resolve)); // the server has it

  await server.stop();
  if (!client.destroyed) await once(client, 'close');
});

it('has no gRPC where the port is 0, and says whose port is taken', async () => {
  const server = await startInference({ MODEL_PATH: fixturePath('iris-sk132'), GRPC_PORT: '0' });
  expect(server.grpcAddress).toBe('127.0.0.1:0');

  const port = new URL(server.url).port;
  await expect(startInference({ GRPC_PORT: port })).rejects.toThrow(`GRPC_PORT: port ${port} of 127.0.0.1 is taken`);
  await server.stop();
});
