// The clocks of this process. Everything else is given the time, or one of these.

/** Milliseconds since 1970, as `Date.now()`. */
export type Clock = () => number;
export const systemClock: Clock = () => Date.now();
/** Milliseconds that only go forward, from any beginning. */
export const monotonicClock: Clock = () => performance.now();

/** ISO 8601 in UTC with milliseconds and `Z`. */
export function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/**
 * A function that answers the present time as Python's `datetime.utcnow().isoformat()` does: microseconds, no zone suffix, and no fraction
 * when it is zero. Microseconds come from the monotonic clock, set right whenever it is more than 2 ms away from the wall clock.
 */
export function pythonTimestamps(wall: Clock = systemClock, monotonic: () => number = () => performance.now()) {
  let offset = wall() - monotonic();
  let second = -1;
  let prefix = '';
  return function timestamp(): string {
    const now = wall();
    let at = offset + monotonic();
    if (Math.abs(at - now) > 2) {
      offset = now - monotonic();
      at = now;
    }
    const micros = Math.floor(at * 1000);
    const whole = Math.floor(micros / 1e6);
    if (whole !== second) {
      second = whole;
      prefix = new Date(whole * 1000).toISOString().slice(0, 19);
    }
    const rest = micros - whole * 1e6;
    return rest === 0 ? prefix : `${prefix}.${String(rest).padStart(6, '0')}`;
  };
}

/** A function that answers the present time as the header Date has it, written once a second. */
export function httpDates(wall: Clock = systemClock): () => string {
  let date = '';
  let second = NaN;
  return () => {
    const now = Math.floor(wall() / 1000);
    if (now !== second) {
      second = now;
      date = new Date(now * 1000).toUTCString();
    }
    return date;
  };
}
