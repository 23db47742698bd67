import { expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Lifecycle } from './lifecycle.ts';

it('stops what was started last first, each in its turn, after telling everybody', async () => {
  const clock = new FakeClock();
  const lifecycle = new Lifecycle(clock, 20_000);
  const order: string[] = [];
  lifecycle.signal.addEventListener('abort', () => order.push('signal'));
  lifecycle.onStop('first', () => void order.push('first'));
  lifecycle.onStop('second', async (signal) => {
    await clock.sleep(1000, signal);
    order.push('second');
  });

  const report = lifecycle.stop('SIGTERM');
  await clock.advance(1000);

  expect(order).toEqual(['signal', 'second', 'first']);
  expect(await report).toEqual({ reason: 'SIGTERM', durationMs: 1000, failed: [] });
});

it('runs once however often it is asked to', async () => {
  const lifecycle = new Lifecycle(new FakeClock(), 20_000);
  let runs = 0;
  lifecycle.onStop('only', () => void (runs += 1));
  const [first, second] = await Promise.all([lifecycle.stop('SIGTERM'), lifecycle.stop('SIGINT')]);
  expect(runs).toBe(1);
  expect(second).toBe(first);
});

it('goes on after a releaser that throws, now or later', async () => {
  const lifecycle = new Lifecycle(new FakeClock(), 20_000);
  let last = false;
  lifecycle.onStop('last', () => void (last = true));
  lifecycle.onStop('rejects', () => Promise.reject(new Error('later')));
  lifecycle.onStop('throws', () => {
    throw new Error('now');
  });
  const { failed } = await lifecycle.stop('x');
  expect(last).toBe(true);
  expect(failed.map(({ name, error }) => `${name}: ${String(error)}`)).toEqual([
    'throws: Error: now',
    'rejects: Error: later',
  ]);
});

it('ends at the deadline, and still calls the remaining releasers', async () => {
  const clock = new FakeClock();
  const lifecycle = new Lifecycle(clock, 20_000);
  let called = false;
  lifecycle.onStop('quick', () => void (called = true));
  lifecycle.onStop('stuck', () => new Promise(() => undefined));
  const report = lifecycle.stop('SIGTERM');
  await clock.advance(20_000);
  expect((await report).failed.map(({ name }) => name)).toContain('stuck');
  expect(called).toBe(true);
});
