import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Batches } from './batches.ts';
import type { Method } from './model.ts';

/** A model that sums its rows and takes `msPerRow` of a clock that only it moves. */
function slowSums(msPerRow: number) {
  const sizes: number[] = [];
  let now = 0;
  const method: Method = (rows, count) => {
    sizes.push(count);
    now += count * msPerRow;
    return Float64Array.from({ length: count }, (_, row) => (rows[row * 2] ?? 0) + (rows[row * 2 + 1] ?? 0));
  };
  return { method, sizes, now: () => now };
}

const rows = (count: number) => ({ values: Float64Array.from({ length: count * 2 }, (_, at) => at), count });
const sums = (count: number) => Float64Array.from({ length: count }, (_, row) => row * 4 + 1);

it('answers few rows at once', async () => {
  const { method, sizes, now } = slowSums(0.01);

  expect(await new Batches(now).run(method, 2, rows(10))).toEqual(sums(10));
  expect(sizes).toEqual([10]);
});

it('learns from the first batch how many rows a batch may have', async () => {
  const { method, sizes, now } = slowSums(0.01);

  expect(await new Batches(now).run(method, 2, rows(700))).toEqual(sums(700));
  expect(sizes).toEqual([16, 300, 300, 84]);
});

it('goes row by row where one takes longer than a batch may', async () => {
  const { method, sizes, now } = slowSums(5);
  const batches = new Batches(now);
  await batches.run(method, 2, rows(1));

  expect(await batches.run(method, 2, rows(3))).toEqual(sums(3));
  expect(sizes).toEqual([1, 1, 1, 1]);
});

it('keeps the pace of each method apart', async () => {
  const slow = slowSums(3);
  const batches = new Batches(slow.now);
  await batches.run(slow.method, 2, rows(1));

  expect(batches.rowsAtOnce(slow.method)).toBe(1);
  expect(batches.rowsAtOnce(() => new Float64Array())).toBe(16);
});

it('runs one batch a turn of the event loop, however many requests there are', async () => {
  const { method, sizes, now } = slowSums(3);
  const batches = new Batches(now);
  await batches.run(method, 2, rows(1));
  const all = Promise.all([1, 2, 3].map(() => batches.run(method, 2, rows(4))));
  const perTurn: number[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const before = sizes.length;
    await nextTurn();
    perTurn.push(sizes.length - before);
  }
  await all;

  expect(Math.max(...perTurn)).toBe(1);
  expect(sizes.length).toBe(13);
});

it('hands on what the method throws', async () => {
  const broken: Method = () => {
    throw new RangeError('no');
  };

  await expect(new Batches().run(broken, 2, rows(2))).rejects.toThrow('no');
  await expect(new Batches().run(broken, 2, rows(200))).rejects.toThrow('no');
});
