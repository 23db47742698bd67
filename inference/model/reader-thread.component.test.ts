import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fixturePath } from '../../test/support/inference-rig.ts';
import { readerThread } from './reader-thread.ts';

const never = new AbortController().signal;
const blue = { key: 'model.tar.gz', path: fixturePath('basket-blue'), maxBytes: 10_000_000 };
let started: Worker[];
const note = (worker: Worker) => void started.push(worker);

beforeEach(() => {
  started = [];
  process.on('worker', note);
});
afterEach(async () => {
  process.off('worker', note);
  await Promise.all(started.map((worker) => worker.terminate()));
});

it('has started before the first order', async () => {
  readerThread();

  await turn();
  expect(started).toHaveLength(1);
});

it('reads one artifact after the other', async () => {
  const read = readerThread();

  const first = await read(blue, never);
  const second = await read(blue, never);

  expect(second).toEqual(first);
  expect(started).toHaveLength(1);
});

it('goes on after an artifact that it refused', async () => {
  const read = readerThread();

  await expect(read({ ...blue, maxBytes: 1000 }, never)).rejects.toMatchObject({ reason: 'ArtifactTooLarge' });
  await read(blue, never);

  expect(started).toHaveLength(1);
});

it('is joined by another for an order that comes while it works, and of the two one stays', async () => {
  const read = readerThread();

  await Promise.all([read(blue, never), read(blue, never)]);
  await read(blue, never);

  expect(started).toHaveLength(2);
  expect(started.filter(({ threadId }) => threadId === -1)).toHaveLength(1);
});

it('is replaced when a load was given up', async () => {
  const read = readerThread();
  const giveUp = new AbortController();
  const loading = read(blue, giveUp.signal);

  giveUp.abort(new Error('a newer call'));

  await expect(loading).rejects.toThrow('a newer call');
  expect(await read(blue, never)).toHaveProperty('data.features', 12);
});

it('is replaced when it has ended', async () => {
  const read = readerThread();
  await turn();
  const [thread] = started;
  await Promise.all([once(thread!, 'exit'), thread!.terminate()]);

  expect(await read(blue, never)).toHaveProperty('data.features', 12);
});

it('tells that it ended before it answered', async () => {
  const read = readerThread();
  const loading = read(blue, never);

  await turn();
  void started[0]!.terminate();

  await expect(loading).rejects.toMatchObject({ reason: 'InternalError' });
});
