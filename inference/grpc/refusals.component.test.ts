// What clients of gRPC are refused, and how they are told.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcClient } from '../../test/support/grpc-client.ts';
import type { GrpcClient } from '../../test/support/grpc-client.ts';
import { CODE, flat, raw, startGrpc, tensor, typed } from '../../test/support/grpc-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';

describe('a server with a model', () => {
  let server: Rig;
  let client: GrpcClient;

  beforeAll(async () => {
    server = await startGrpc();
    client = grpcClient(server.grpcAddress);
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  it.each([
    ['another model', typed({ modelName: 'other' }), CODE.NOT_FOUND, /"other" does not exist/],
    ['another version', typed({ modelVersion: '99' }), CODE.NOT_FOUND, /Version "99"/],
    ['no inputs', typed({ inputs: [] }), CODE.INVALID_ARGUMENT, /inputs holds no tensor/],
    ['another width', typed({ inputs: [tensor({ shape: [4, 5] })] }), CODE.INVALID_ARGUMENT, /do not fit/],
    ['a negative shape', typed({ inputs: [tensor({ shape: [-1, 4] })] }), CODE.INVALID_ARGUMENT, /whole numbers/],
    [
      'too many rows',
      typed({ inputs: [tensor({ shape: [2 ** 40, 4] })] }),
      CODE.INVALID_ARGUMENT,
      /at most 10000 rows/,
    ],
    [
      'an unknown datatype',
      typed({ inputs: [tensor({ datatype: 'BF16' })] }),
      CODE.INVALID_ARGUMENT,
      /datatype must be/,
    ],
    [
      'contents of another datatype',
      typed({ inputs: [tensor({ contents: { fp32Contents: flat } })] }),
      CODE.INVALID_ARGUMENT,
      /do not fit the shape \[5, 4\] of FP64/,
    ],
    [
      'contents of two datatypes',
      typed({ inputs: [tensor({ contents: { fp64Contents: flat, boolContents: [true] } })] }),
      CODE.INVALID_ARGUMENT,
      /do not fit/,
    ],
    [
      'an integer that its datatype cannot hold',
      typed({ inputs: [tensor({ shape: [1, 4], datatype: 'INT8', contents: { intContents: [1, 2, 3, 128] } })] }),
      CODE.INVALID_ARGUMENT,
      /128 is no INT8/,
    ],
    [
      'FP16 that is not raw',
      typed({ inputs: [tensor({ datatype: 'FP16' })] }),
      CODE.INVALID_ARGUMENT,
      /FP16 comes in raw_input_contents/,
    ],
    ['raw and typed contents', typed({ rawInputContents: [raw] }), CODE.INVALID_ARGUMENT, /send one of them/],
    [
      'too few raw contents',
      typed({ rawInputContents: [raw, raw] }),
      CODE.INVALID_ARGUMENT,
      /1 inputs and 2 raw_input/,
    ],
    [
      'infinity',
      typed({ inputs: [tensor({ shape: [1, 4], contents: { fp64Contents: [1, 2, 3, 1e39] } })] }),
      CODE.INVALID_ARGUMENT,
      /infin/,
    ],
    ['an unknown output', typed({ outputs: [{ name: 'explain' }] }), CODE.INVALID_ARGUMENT, /one of predict/],
  ])('refuses %s', async (_, request, code, details) => {
    expect(await client.call('ModelInfer', request)).toMatchObject({
      code,
      details: expect.stringMatching(details) as string,
    });
  });

  it('refuses a request that is too large, and goes on', async () => {
    const huge = typed({ inputs: [tensor({ contents: { bytesContents: [Buffer.alloc(2 ** 20)] } })] });

    expect((await client.call('ModelInfer', huge)).code).toBe(CODE.RESOURCE_EXHAUSTED);
    expect((await client.call('ModelInfer', typed())).code).toBe(CODE.OK);
  });

  it('loads no models over this port', async () => {
    expect(await client.call('RepositoryModelLoad', { modelName: 'iris' })).toMatchObject({
      code: CODE.UNIMPLEMENTED,
      details: expect.stringContaining('POST /model/reload') as string,
    });
  });

  it('ends a connection that speaks no HTTP/2', async () => {
    const [host = '', port = ''] = server.grpcAddress.split(':');
    const socket = connect(Number(port), host);
    socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(3));
    socket.resume();
    await once(socket, 'close');

    expect((await client.call('ServerLive', {})).code).toBe(CODE.OK);
  });
});

describe('a server without a model', () => {
  let server: Rig;
  let client: GrpcClient;

  beforeAll(async () => {
    server = await startGrpc({ MODEL_PATH: '/nowhere/model.tar.gz' }, { waitForLoad: false });
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
    expect((await client.call('ModelReady', { name: 'other' })).code).toBe(CODE.NOT_FOUND);
    expect(await client.call('ModelInfer', typed())).toMatchObject({
      code: CODE.UNAVAILABLE,
      headers: { 'x-model-version': 'none' },
    });
  });
});
