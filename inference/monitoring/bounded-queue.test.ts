import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from './bounded-queue.ts';

const LIMIT = { items: 3, bytes: 100 };

/** Work that ends when it is told to. */
function aQueue(concurrency = 1) {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const queue = new BoundedQueue<string>({
    limit: LIMIT,
    concurrency,
    work: async (item, signal) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      started.push(item);
      ends.push(() => resolve(undefined));
      signal.addEventListener('abort', () => resolve(undefined));
      await promise;
    },
  });
  return { queue, started, ends };
}

async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

describe('a bounded queue', () => {
  it('never works in the turn of the caller', async () => {
    const { queue, started } = aQueue();

    queue.push('a', 1);
    const atOnce = [...started];
    await turns();

    expect([atOnce, started]).toEqual([[], ['a']]);
  });

  it('works at so many at a time, in order', async () => {
    const { queue, started, ends } = aQueue(2);
    for (const item of ['a', 'b', 'c']) queue.push(item, 1);
    await turns();
    const first = [...started];

    ends[1]?.();
    await turns();

    expect([first, started]).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
  });

  it('takes no more items or bytes than there is room for, and again when there is', async () => {
    const { queue, ends } = aQueue();
    const taken = [
      queue.push('a', 60),
      queue.push('b', 41),
      queue.push('b', 40),
      queue.push('c', 0),
      queue.push('d', 0),
    ];
    await turns(); // a is in work and waits no longer

    expect(taken).toEqual([true, false, true, true, false]);
    expect(queue.push('e', 60)).toBe(true);
    expect(queue.push('f', 0)).toBe(false);
    expect(queue.length).toBe(3);
    ends[0]?.();
  });

  it('ends when its work is done', async () => {
    const { queue, started, ends } = aQueue();
    queue.push('a', 1);
    queue.push('b', 1);
    await turns();

    const closed = queue.close(60_000);
    ends[0]?.();
    await turns();
    ends[1]?.();
    await closed;

    expect(started).toEqual(['a', 'b']);
    expect(queue.push('c', 1)).toBe(false);
  });

  it('cuts off work at the limit, and drops what waits', async () => {
    const { queue, started } = aQueue();
    queue.push('a', 1);
    queue.push('b', 1);
    await turns();

    await queue.close(0);

    expect(started).toEqual(['a']);
    expect(queue.length).toBe(0);
  });
});
