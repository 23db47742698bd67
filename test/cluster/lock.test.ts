import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tryRun } from './command.ts';
import { acquireLock, withLock } from './lock.ts';

const options = { what: 'tests locks', onProgress: () => undefined };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-lock-'));
});
afterEach(async () => rm(dir, { recursive: true }));

/** Asks from outside whether somebody holds the lock. */
const isFree = async (path: string): Promise<boolean> => tryRun('flock', ['--nonblock', path, 'true']);

it('keeps others out until it is given back', async () => {
  const path = join(dir, 'lock');
  const release = await acquireLock(path, options);
  const whileHeld = await isFree(path);

  await release();

  expect([whileHeld, await isFree(path)]).toEqual([false, true]);
});

it('gives the lock back when the work fails', async () => {
  const path = join(dir, 'lock');
  await expect(withLock(path, options, () => Promise.reject(new Error('no')))).rejects.toThrow('no');

  expect(await isFree(path)).toBe(true);
});

it('stops waiting when it is told to', async () => {
  const path = join(dir, 'lock');
  const release = await acquireLock(path, options);
  const controller = new AbortController();
  const waiting = acquireLock(path, { ...options, signal: controller.signal });

  controller.abort(new Error('enough'));

  await expect(waiting).rejects.toThrow('enough');
  await release();
});
