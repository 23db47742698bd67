import { expect, it } from 'vitest';
import { FakeClock, settle } from '../../test/support/fake-clock.ts';
import { RateLimiter } from './rate-limiter.ts';

const never = new AbortController().signal;

/** Takes `count` turns and returns when each came, in ms. */
function takeMany(limiter: RateLimiter, clock: FakeClock, count: number): number[] {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) void limiter.take(never).then(() => times.push(clock.monotonic()));
  return times;
}

it('lets a burst through, then one at a time', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ clock, perSecond: 10, burst: 3 });
  const times = takeMany(limiter, clock, 6);
  await clock.advance(1000);
  expect(times).toEqual([0, 0, 0, 100, 200, 300]);
});

it('pauses for as long as the server asks, then goes at half the rate and recovers', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ clock, perSecond: 10, burst: 3 });
  limiter.throttle(5000);
  limiter.throttle(5000);
  const times = takeMany(limiter, clock, 3);
  await clock.advance(10_000);
  expect(times).toEqual([5000, 5200, 5400]);

  for (let i = 0; i < 25; i += 1) limiter.recover();
  expect(limiter.perSecond).toBeCloseTo(10);
});

it('never stops altogether', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ clock, perSecond: 32, burst: 1 });
  for (let i = 0; i < 20; i += 1) {
    limiter.throttle(0);
    await clock.advance(1000);
  }
  expect(limiter.perSecond).toBe(1);
});

it('gives a turn up when aborted', async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ clock, perSecond: 1, burst: 1 });
  const stop = new AbortController();
  await limiter.take(stop.signal);
  const second = limiter.take(stop.signal);
  stop.abort(new Error('stop'));
  await expect(second).rejects.toThrow('stop');
  await settle();
  expect(clock.pending).toEqual([]);
});
