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
  /** Calls back once after `ms`. The timer alone does not keep the process alive. */
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
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** `Clock.sleep` in terms of `Clock.setTimer`. */
export function sleepWith(clock: Pick<Clock, 'setTimer'>, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.setTimer(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** A signal that follows `parent` and is aborted with a TimeoutError after `ms` of this clock. Call `done` when the work ended. */
export function withDeadline(clock: Clock, ms: number, parent: AbortSignal): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent.reason);
  if (parent.aborted) onAbort();
  parent.addEventListener('abort', onAbort, { once: true });
  const timer = clock.setTimer(ms, () =>
    controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')),
  );
  const done = () => {
    timer.cancel();
    parent.removeEventListener('abort', onAbort);
  };
  return { signal: controller.signal, done };
}
