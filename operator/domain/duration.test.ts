import { expect, it } from 'vitest';
import { durationMs } from './duration.ts';

it.each([
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['250ms', 250],
  ['1m250ms', 60_250],
  ['0s', 0],
  ['1s1s', 2000],
])('%s is %d ms', (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});

it.each(['', '30', 's', '1.5h', '-1s', '1 s', '1d', `${'9'.repeat(7)}s`])('refuses %o', (text) => {
  expect(() => durationMs(text)).toThrow(RangeError);
});
