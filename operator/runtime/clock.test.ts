import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { systemClock, withDeadline } from './clock.ts';

describe('sleep', () => {
  it('ends after its time', async () => {
    const clock = new FakeClock();
    let awake = false;
    const slept = clock.sleep(1000, new AbortController().signal).then(() => (awake = true));
    await clock.advance(999);
    expect(awake).toBe(false);
    await clock.advance(1);
    await slept;
    expect(awake).toBe(true);
  });

  it('ends with the reason of an abort and leaves no timer behind', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const slept = clock.sleep(1000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    await expect(clock.sleep(1000, stop.signal)).rejects.toThrow('enough');
    expect(clock.pending).toEqual([]);
  });

  it('is real on the system clock', async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(5, new AbortController().signal);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(4);
    expect(systemClock.now()).toBeGreaterThan(Date.parse('2026-01-01'));
  });
});

describe('a deadline', () => {
  it('aborts with a TimeoutError when its time is over', async () => {
    const clock = new FakeClock();
    const { signal } = withDeadline(clock, 1000, new AbortController().signal);
    await clock.advance(1000);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('starts over, and can be lifted while it goes on following its parent', async () => {
    const clock = new FakeClock();
    const parent = new AbortController();
    const deadline = withDeadline(clock, 1000, parent.signal);
    await clock.advance(900);
    deadline.restart();
    await clock.advance(900);
    deadline.lift();
    await clock.advance(10_000);
    expect(deadline.signal.aborted).toBe(false);
    parent.abort(new Error('stop'));
    expect(deadline.signal.reason).toEqual(new Error('stop'));
  });

  it('lets go of everything when the work is done', () => {
    const clock = new FakeClock();
    const parent = new AbortController();
    const deadline = withDeadline(clock, 1000, parent.signal);
    deadline.done();
    parent.abort();
    expect(deadline.signal.aborted).toBe(false);
    expect(clock.pending).toEqual([]);
  });

  it('of an aborted parent is aborted from the start', () => {
    const { signal, done } = withDeadline(new FakeClock(), 1000, AbortSignal.abort(new Error('before')));
    done();
    expect(signal.reason).toEqual(new Error('before'));
  });
});
