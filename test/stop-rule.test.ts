import { expect, it } from 'vitest';
import { stopRule, UNDISTURBED_MS } from './stop-rule.ts';

it('begins once, ignores repeats for a while, then kills', () => {
  let nowMs = 5;
  const meaning = stopRule(() => nowMs);

  expect([meaning(), meaning()]).toEqual(['begin', 'ignore']);
  nowMs += UNDISTURBED_MS - 1;
  expect(meaning()).toBe('ignore');
  nowMs += 1;
  expect(meaning()).toBe('kill');
});
