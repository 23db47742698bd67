// What clients of gRPC are answered: as over REST, in the words of the protocol.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcClient } from '../../test/support/grpc-client.ts';
import type { GrpcClient } from '../../test/support/grpc-client.ts';
import { CODE, flat, labels, probabilities, raw, startGrpc, tensor, typed } from '../../test/support/grpc-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';

describe('a server with a model', () => {
  let server: Rig;
  let client: GrpcClient;
  let version: unknown;

  beforeAll(async () => {
    server = await startGrpc({ LOG_LEVEL: 'DEBUG' });
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
      code: CODE.OK,
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
      [CODE.OK, '/inference.GRPCInferenceService/ModelInfer', '0af7651916cd43dd8448eb211c80319c'],
      [CODE.NOT_FOUND, '/inference.GRPCInferenceService/ModelInfer', '0af7651916cd43dd8448eb211c80319c'],
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
});
