import { expect, it } from 'vitest';
import { surplusOf } from './balance.ts';
import type { Load } from './balance.ts';

const load = (busy: number, connections: number): Load => ({ busy, connections });

it.each([
  ['nobody is busy', [load(0.4, 16), load(0, 0)], [0, 0]],
  ['both are about as busy', [load(1, 9), load(0.85, 7)], [0, 0]],
  ['one has everything', [load(0.9, 16), load(0, 0)], [8, 0]],
  ['one has more', [load(0.9, 12), load(0.3, 4)], [4, 0]],
  ['two connections on one of two', [load(0.1, 0), load(0.8, 2)], [0, 1]],
  ['a single connection has all the work', [load(1, 1), load(0, 3)], [0, 0]],
  ['one of four has nothing', [load(0.9, 5), load(0.9, 5), load(0.9, 5), load(0.1, 0)], [1, 1, 1, 0]],
  ['nobody but one', [load(1, 16)], [0]],
])('%s', (_, loads, surplus) => {
  expect(surplusOf(loads)).toEqual(surplus);
});
