// Durations as users write them: "1h30m", "250ms".

const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const WHOLE = /^([0-9]{1,6}(h|m|s|ms))+$/;
const PART = /([0-9]+)(ms|h|m|s)/g;

function unitMs(unit: string | undefined): number {
  return unit === 'h' || unit === 'm' || unit === 's' || unit === 'ms' ? UNIT_MS[unit] : 0;
}

/** Milliseconds of a duration such as "1h30m". The schema has checked the form: throws RangeError on any other text. */
export function durationMs(text: string): number {
  if (!WHOLE.test(text)) throw new RangeError(`not a duration: ${JSON.stringify(text.slice(0, 40))}`);
  let total = 0;
  for (const [, count, unit] of text.matchAll(PART)) total += Number(count) * unitMs(unit);
  return total;
}
