import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { Line } from './line.ts';

interface Calls {
  double(value: number): number;
  note(value: string): void;
  wait(): Promise<string>;
  fail(): void;
}

const { port1: here, port2: there } = new MessageChannel();
let noted: string[] = [];
const gate = Promise.withResolvers<string>();

const theirs: Calls = {
  double: (value) => 2 * value,
  note: (value) => void noted.push(value),
  wait: () => gate.promise,
  fail() {
    throw new TypeError('broken');
  },
};
new Line<object>(there, theirs);
const line = new Line<Calls>(here, {});

afterEach(() => {
  noted = [];
});

it('answers what the other side answers, each call its own', async () => {
  expect(await Promise.all([line.call('double', 2), line.call('double', 21)])).toEqual([4, 42]);
});

it('keeps the order of calls, whether somebody waits for them or not', async () => {
  line.tell('note', 'a');
  void line.call('note', 'b');
  line.tell('note', 'c');
  await line.call('double', 0);

  expect(noted).toEqual(['a', 'b', 'c']);
});

it('rejects with what the other side throws', async () => {
  await expect(line.call('fail')).rejects.toThrow('broken');
});

it('rejects what waits, and whatever comes later, when the other side has ended', async () => {
  const waiting = line.call('wait');

  line.end(new Error('gone'));

  await expect(waiting).rejects.toThrow('gone');
  await expect(line.call('double', 1)).rejects.toThrow('gone');
  here.close();
});
