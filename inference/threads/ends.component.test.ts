import type { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { startLoad } from '../../test/support/keep-alive-load.ts';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { NEW_CONNECTION, TWO_THREADS, byBoth, threadOf } from '../../test/support/two-threads.ts';
import { startWorker } from './serving-threads.ts';
import type { StartThread } from './serving-threads.ts';

// A thread reads all of the sources.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const MODEL = { MODEL_PATH: fixturePath('basket-blue') };
const BASKET = { basket_items: {} };

let servers: Rig[] = [];

async function start(env: Record<string, string> = {}, options = {}): Promise<Rig> {
  const server = await startInference({ ...MODEL, ...TWO_THREADS, ...env }, options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

it('loses no request when it is told to end under load, and has counted them all', async () => {
  const server = await start();
  const load = startLoad(`${server.url}/predict`, { connections: 8, thinkMs: 2 });
  await vi.waitFor(() => expect(load.sent()).toBeGreaterThan(100));

  servers = [];
  const stopped = server.stop(400);
  await vi.waitFor(async () => expect((await server.get('/ready', NEW_CONNECTION)).status).toBe(503));
  const { requests, failures } = await load.stop();
  await stopped;

  expect(failures).toEqual({});
  expect(server.app.served()).toBe(requests);
});

it('says that it cannot go on when a thread ends, and answers on the others until it is stopped', async () => {
  let thread: Worker | undefined;
  const startThread: StartThread = (with_) => (thread = startWorker(with_));
  const onBroken = vi.fn();
  const server = await start({}, { startThread, onBroken });
  await byBoth(() => server.post('/predict', BASKET, NEW_CONNECTION));

  await thread?.terminate();
  await vi.waitFor(() => expect(onBroken).toHaveBeenCalled());
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.post('/predict', BASKET, NEW_CONNECTION)));
  const metrics = await server.get('/metrics', NEW_CONNECTION);

  expect(onBroken).toHaveBeenCalledTimes(1);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(threadOf)).size).toBe(1);
  expect(metrics.status).toBe(200);
});

it('does not share its port with another server', async () => {
  const server = await start();

  const second = start({ PORT: new URL(server.url).port });

  await expect(second).rejects.toThrow(/^PORT: port \d+ of 127\.0\.0\.1 is taken/);
});

it('is not ready before every thread has a model', async () => {
  const server = await start({ MODEL_PATH: '/nowhere/model.tar.gz' }, { waitForLoad: false });

  const answers = await byBoth(() => server.get('/ready', NEW_CONNECTION));

  expect(answers.map(({ status }) => status)).toEqual([503, 503]);
});

it('has the arrays of a model once', async () => {
  const told: unknown[] = [];
  const startThread: StartThread = (with_) => {
    const worker = startWorker(with_);
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (message: unknown) => {
      told.push(message);
      post(message);
    };
    return worker;
  };
  await start({}, { startThread });

  const bytes = { shared: 0, copied: 0 };
  for (const buffer of buffersIn(told)) {
    bytes[buffer instanceof SharedArrayBuffer ? 'shared' : 'copied'] += buffer.byteLength;
  }
  expect(bytes.shared).toBeGreaterThan(100_000);
  expect(bytes.copied).toBeLessThan(10_000); // metadata.json
});

function buffersIn(value: unknown): ArrayBufferLike[] {
  if (ArrayBuffer.isView(value)) return [value.buffer];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(buffersIn))];
}
