import { describe, expect, it } from 'vitest';
import { FakeClock, settle } from '../../test/support/fake-clock.ts';
import { runWorkers, WorkQueue } from './work-queue.ts';

function aQueue(): { clock: FakeClock; queue: WorkQueue } {
  const clock = new FakeClock();
  const backoff = { baseMs: 1000, capMs: 300_000, random: () => 1 };
  return { clock, queue: new WorkQueue({ clock, backoff }) };
}

/** What `get` would give right now, in order, without `done`. */
async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth().queued > 0) keys.push(String(await queue.get()));
  return keys;
}

describe('a key', () => {
  it('waits once however often it is added', async () => {
    const { queue } = aQueue();
    queue.add('ml/a');
    queue.add('ml/a', 'bulk');
    queue.add('ml/a');
    expect(await takeAll(queue)).toEqual(['ml/a']);
  });

  it('that is added while being worked on runs exactly once more, and not at the same time', async () => {
    const { queue } = aQueue();
    queue.add('ml/a');
    await queue.get();
    queue.add('ml/a');
    queue.add('ml/a');
    expect(queue.depth()).toMatchObject({ queued: 0, processing: 1 });

    queue.done('ml/a');

    expect(await takeAll(queue)).toEqual(['ml/a']);
    queue.done('ml/a');
    expect(queue.depth()).toMatchObject({ queued: 0, processing: 0 });
  });

  it('goes to the worker that waits', async () => {
    const { queue } = aQueue();
    const first = queue.get();
    const second = queue.get();
    queue.add('ml/a');
    queue.add('ml/b');
    expect(await Promise.all([first, second])).toEqual(['ml/a', 'ml/b']);
  });
});

describe('priority', () => {
  it('takes what a person changed before resync', async () => {
    const { queue } = aQueue();
    queue.add('ml/resync', 'bulk');
    queue.add('ml/changed', 'user');
    expect(await takeAll(queue)).toEqual(['ml/changed', 'ml/resync']);
  });

  it('lets a waiting key rise, never sink', async () => {
    const { queue } = aQueue();
    queue.add('ml/x', 'bulk');
    queue.add('ml/y', 'bulk');
    queue.add('ml/y', 'user');
    queue.add('ml/y', 'bulk');
    expect(await takeAll(queue)).toEqual(['ml/y', 'ml/x']);
  });

  it('gives bulk a turn although user changes never end', async () => {
    const { queue } = aQueue();
    queue.add('ml/resync', 'bulk');
    for (let i = 0; i < 30; i += 1) queue.add(`ml/${i}`, 'user');
    expect((await takeAll(queue)).indexOf('ml/resync')).toBe(10);
  });

  it('takes the namespaces in turn', async () => {
    const { queue } = aQueue();
    for (const key of ['big/1', 'big/2', 'big/3', 'small/1']) queue.add(key);
    expect(await takeAll(queue)).toEqual(['big/1', 'small/1', 'big/2', 'big/3']);
  });
});

describe('delays', () => {
  it('keep the earliest of several', async () => {
    const { clock, queue } = aQueue();
    queue.addAfter('ml/a', 60_000);
    queue.addAfter('ml/a', 5000);
    queue.addAfter('ml/a', 30_000);

    await clock.advance(4999);
    expect(queue.depth()).toMatchObject({ queued: 0, delayed: 1 });
    await clock.advance(1);
    expect(await takeAll(queue)).toEqual(['ml/a']);
    queue.done('ml/a');
    await clock.advance(120_000);
    expect(queue.depth()).toMatchObject({ queued: 0, delayed: 0 });
  });

  it('grow with the failures of a key up to the cap, and start over after a success', () => {
    const { queue } = aQueue();
    const delays = Array.from({ length: 10 }, () => queue.addFailed('ml/a'));
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000]);
    expect(queue.depth().failing).toBe(1);
    queue.forget('ml/a');
    expect(queue.addFailed('ml/a')).toBe(1000);
  });
});

describe('workers', () => {
  it('work on so many keys at a time, and end when the queue is shut down and their work is done', async () => {
    const { queue } = aQueue();
    const running = new Map<string, () => void>();
    const ended = runWorkers(
      queue,
      2,
      (key) => new Promise((resolve) => running.set(key, resolve)),
      () => undefined,
    );
    for (const key of ['ml/a', 'ml/b', 'ml/c']) queue.add(key);
    await settle();
    expect([...running.keys()]).toEqual(['ml/a', 'ml/b']);

    let drained = false;
    const shutDown = queue.shutDown().then(() => (drained = true));
    running.get('ml/a')?.();
    await settle();
    expect(drained).toBe(false);
    running.get('ml/b')?.();
    await Promise.all([ended, shutDown]);

    expect(running.has('ml/c')).toBe(false);
    queue.add('ml/d');
    expect(await queue.get()).toBeUndefined();
  });

  it('go on after a bug in the work on one key, which is tried again', async () => {
    const { clock, queue } = aQueue();
    const bugs: unknown[] = [];
    const seen: string[] = [];
    const work = (key: string) => {
      seen.push(key);
      return key === 'ml/bad' && seen.length === 1 ? Promise.reject(new Error('bug')) : Promise.resolve();
    };
    const ended = runWorkers(queue, 1, work, (error, key) => bugs.push([key, String(error)]));
    queue.add('ml/bad');
    queue.add('ml/good');
    await clock.advance(1000);

    expect(seen).toEqual(['ml/bad', 'ml/good', 'ml/bad']);
    expect(bugs).toEqual([['ml/bad', 'Error: bug']]);
    await queue.shutDown();
    await ended;
  });

  it('are drained at once when they have nothing to do, and delays are forgotten', async () => {
    const { clock, queue } = aQueue();
    queue.addAfter('ml/a', 1000);
    await queue.shutDown();
    await queue.shutDown();
    expect(clock.pending).toEqual([]);
  });
});
