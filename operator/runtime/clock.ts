// Time as a value that is passed in: the only place that reads the machine's clock or starts a timer.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Epoch milliseconds: for what people read and for absolute deadlines. May jump. */
  now(): number;
  /** Milliseconds since some fixed moment; never jumps. For leases, back-off and durations. */
  monotonic(): number;
  /** Resolves after `ms`. Rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls back once after `ms`. */
  setTimer(ms: number, callback: () => void): Timer;
}

/** Longest delay that Node's timers take; beyond it they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleepWith(systemClock, ms, signal),
  setTimer(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** `Clock.sleep` in terms of `Clock.setTimer`. */
export function sleepWith(clock: Pick<Clock, 'setTimer'>, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const timer = clock.setTimer(ms, () => {
    signal.removeEventListener('abort', onAbort);
    resolve(undefined);
  });
  const onAbort = () => {
    timer.cancel();
    reject(signal.reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return promise;
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** The full time from now on. */
  readonly restart: () => void;
  /** Takes the time limit away; the signal goes on following its parent. */
  readonly lift: () => void;
  /** The work has ended: lets go of timer and parent. */
  readonly done: () => void;
}

/** A signal that follows `parent` and is aborted with a TimeoutError after `ms` of this clock. */
export function withDeadline(clock: Clock, ms: number, parent: AbortSignal): Deadline {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent.reason);
  if (parent.aborted) onAbort();
  parent.addEventListener('abort', onAbort, { once: true });
  const expire = () => controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'));
  let timer = clock.setTimer(ms, expire);
  const lift = () => timer.cancel();
  const restart = () => {
    timer.cancel();
    timer = clock.setTimer(ms, expire);
  };
  const done = () => {
    timer.cancel();
    parent.removeEventListener('abort', onAbort);
  };
  return { signal: controller.signal, restart, lift, done };
}
