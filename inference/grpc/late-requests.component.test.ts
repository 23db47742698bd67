import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Batches } from '../model/batches.ts';
import { Counts } from '../monitoring/counts.ts';
import { createGrpcServer } from './server.ts';
import type { GrpcServer } from './server.ts';

const CALL = {
  ':method': 'POST',
  ':path': '/inference.GRPCInferenceService/ServerLive',
  'content-type': 'application/grpc',
};

const LIMIT_MS = 30;

let grpc: GrpcServer;
let sockets: Server;
let url: string;

beforeAll(async () => {
  // Sockets are real, time is not.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const modelName = () => 'm';
  const slot = { current: undefined }; // as before the first load
  const models = { slot, counts: new Counts(), modelName, isLeaving: () => false, batches: new Batches(), maxRows: 1 };
  const log = pino({ level: 'silent' });
  const limits = { maxBodyBytes: 1000, accessLogEvery: 0, requestMs: LIMIT_MS };
  grpc = createGrpcServer({ ...models, ...limits, variant: 'v', log, copies: { taps: [] } });
  sockets = createServer((socket) => grpc.take(socket)).listen(0, '127.0.0.1');
  await once(sockets, 'listening');
  url = `http://127.0.0.1:${(sockets.address() as AddressInfo).port}`;
});
afterAll(() => {
  vi.useRealTimers();
  grpc.end();
  sockets.close();
});

async function ended(client: ClientHttp2Session): Promise<void> {
  if (!client.destroyed) await once(client, 'close');
}

it('a request that never ends is refused, and its connection with it', async () => {
  const client = connect(url);
  client.on('error', () => undefined);
  const call = client.request({ ...CALL, te: 'trailers' });
  call.on('error', () => undefined).resume();
  await once(call, 'ready');
  call.write(Buffer.from([0, 0, 0, 0, 9, 1])); // one of nine bytes

  const response = once(call, 'response');
  await new Promise((resolve) => client.ping(resolve)); // the server has it
  vi.advanceTimersByTime(LIMIT_MS);
  const [headers] = (await response) as [Record<string, unknown>];

  expect(headers['grpc-status']).toBe('4');
  await ended(client);
});

it('one that ends is answered, and nothing waits for it any more', async () => {
  const client = connect(url);
  const answered: unknown[] = [];
  const waiting: number[] = [];
  for (let sent = 0; sent < 20; sent += 1) {
    const call = client.request({ ...CALL, te: 'trailers' });
    call.resume().end(Buffer.alloc(5));
    const [trailers] = (await once(call, 'trailers')) as [Record<string, unknown>];
    answered.push(trailers['grpc-status']);
    await once(call, 'close');
    waiting.push(vi.getTimerCount());
  }

  expect(answered).toEqual(Array.from({ length: 20 }, () => '0'));
  expect(waiting.at(-1)).toBe(waiting[0]);
  client.close();
  await ended(client);
});
