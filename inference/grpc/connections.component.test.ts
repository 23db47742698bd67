// How connections of gRPC end: by a drain, with the process, and when their time is over.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { grpcClient } from '../../test/support/grpc-client.ts';
import { CODE, startGrpc, typed } from '../../test/support/grpc-rig.ts';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';

/** Begins a drain, or asks how it goes: how many of its connections are still open. */
async function drain(server: Rig, id: string): Promise<number> {
  return ((await server.admin('POST', '/drain', { id })).json as { remaining: number }).remaining;
}

async function drained(server: Rig, id: string): Promise<void> {
  while ((await drain(server, id)) > 0);
}

describe('the end of connections', () => {
  it('comes with a drain, and the client goes on over another one', async () => {
    const server = await startGrpc();
    const client = grpcClient(server.grpcAddress);
    const before = await client.call('ModelInfer', typed());
    const begun = await drain(server, 'd-1');
    const during = await Promise.all(Array.from({ length: 20 }, () => client.call('ModelInfer', typed())));
    await drained(server, 'd-1');
    const after = await client.call('ServerReady', {});

    expect([before, ...during, after].map(({ code }) => code)).toEqual(Array.from({ length: 22 }, () => CODE.OK));
    expect(begun).toBeGreaterThan(0);
    expect(after.message).toEqual({ ready: true });

    expect(await drain(server, 'd-2')).toBeGreaterThan(0);
    await drained(server, 'd-2');
    expect((await client.call('ServerLive', {})).code).toBe(CODE.OK);
    client.close();
    await server.stop();
  });

  it('comes with the end of the process: not ready, what is under way is answered, then nobody listens', async () => {
    const server = await startGrpc({ SHUTDOWN_SECONDS: '20' });
    const client = grpcClient(server.grpcAddress);
    await client.call('ServerLive', {});
    const stopped = server.stop(300);
    const leaving = await client.call('ServerReady', {});
    const last = await client.call('ModelInfer', typed());
    await stopped;

    expect([leaving.message, last.code]).toEqual([{}, CODE.OK]);
    expect((await client.call('ServerLive', {})).code).toBe(CODE.UNAVAILABLE);
    client.close();
  });
});

it('ends calls that are not over when the time of the process is', async () => {
  const server = await startGrpc({ SHUTDOWN_SECONDS: '0.1' });
  const client = connect(`http://${server.grpcAddress}`);
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
