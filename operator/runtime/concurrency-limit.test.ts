import { expect, it } from 'vitest';
import { settle } from '../../test/support/fake-clock.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';

const signal = new AbortController().signal;

/** Tasks that end when told to, in the order in which they were started. */
function someTasks() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => () =>
    new Promise<string>((resolve) => {
      started.push(name);
      ends.set(name, () => resolve(name));
    });
  return { started, task, end: (name: string) => ends.get(name)?.() };
}

it('starts the next in order when one has ended', async () => {
  const { started, task, end } = someTasks();
  const limit = new ConcurrencyLimit(2);
  const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => limit.run(task(name), signal)));
  await settle();
  expect(started).toEqual(['a', 'b']);
  end('b');
  await settle();
  expect(started).toEqual(['a', 'b', 'c']);
  for (const name of ['a', 'c']) end(name);
  await settle();
  end('d');
  expect(await all).toEqual(['a', 'b', 'c', 'd']);
});

it('gives the turn of a task that threw to the next, and never to more', async () => {
  const { started, task } = someTasks();
  const limit = new ConcurrencyLimit(1);
  await expect(limit.run(() => Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  void limit.run(task('a'), signal);
  void limit.run(task('b'), signal);
  await settle();
  expect(started).toEqual(['a']);
});

it('starts nothing for a caller that was aborted while it waited, and passes its turn on', async () => {
  const { started, task, end } = someTasks();
  const limit = new ConcurrencyLimit(1);
  const leaving = new AbortController();
  const first = limit.run(task('a'), signal);
  const waiting = limit.run(task('b'), leaving.signal);
  const last = limit.run(task('c'), signal);
  leaving.abort(new Error('stopped'));
  end('a');
  await expect(waiting).rejects.toThrow('stopped');
  await settle();
  end('c');
  expect(await Promise.all([first, last])).toEqual(['a', 'c']);
  expect(started).toEqual(['a', 'c']);
});
