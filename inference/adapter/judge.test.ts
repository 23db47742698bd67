import { describe, expect, it } from 'vitest';
import type { LoadError } from '../load-error.ts';
import { Judge } from './judge.ts';
import type { Evidence } from './judge.ts';
import type { Look } from './neighbour.ts';

const evidence: Evidence = {
  formerMark: 'one@1',
  expectedVersion: 'two',
  sinceMs: 0,
  reloadMs: 1000,
  unreadyMs: 100,
  settleMs: 100,
};
const serving = (version: string | undefined, mark: string, marksLoads = true): Look => ({
  kind: 'serving',
  version,
  mark,
  marksLoads,
});
const empty: Look = { kind: 'empty', detail: 'HTTP 503' };
const silent: Look = { kind: 'silent', detail: 'no answer' };

function reasonOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as LoadError).reason;
  }
  return 'none';
}

describe('a reload is proven', () => {
  it.each([
    ['by the new version', {}, serving('two', 'two@2')],
    ['by a new load of an equal version', { expectedVersion: 'one' }, serving('one', 'one@2')],
    ['by any model where there was none', { formerMark: undefined }, serving('two', 'one@1')],
    ['by another mark where the server names no version', {}, serving(undefined, '2')],
    ['by another version where the artifact names none', { expectedVersion: undefined }, serving('x', 'x@2')],
  ])('%s', (_, change, seen) => {
    expect(new Judge({ ...evidence, ...change }).isProven(seen, 1)).toBe(true);
  });

  it('by a mark that cannot change, once it has stood for a while', () => {
    const judge = new Judge({ ...evidence, formerMark: 'one', expectedVersion: 'one' });

    expect([0, 99, 100].map((now) => judge.isProven(serving('one', 'one', false), now))).toEqual([false, false, true]);
  });
});

describe('a reload is waited for', () => {
  it.each([
    ['the model from before', serving('one', 'one@1')],
    ['no answer', silent],
  ])('while there is %s, until its time is over', (_, seen) => {
    const judge = new Judge(evidence);

    expect(judge.isProven(seen, 999)).toBe(false);
    expect(reasonOf(() => judge.isProven(seen, 1000))).toBe('LoadTimeout');
  });
});

describe('a reload has failed', () => {
  it.each([
    ['without a model', empty],
    ['with another version than that of the artifact', serving('three', 'three@2')],
    ['when the process is gone', { kind: 'away', detail: 'ECONNREFUSED' } as const],
  ])('%s for longer than it may be', (_, seen) => {
    const judge = new Judge(evidence);

    expect(judge.isProven(seen, 500)).toBe(false);
    expect(judge.isProven(seen, 599)).toBe(false);
    expect(reasonOf(() => judge.isProven(seen, 600))).toBe('LoadFailed');
  });

  it('not when a model came in between', () => {
    const judge = new Judge({ ...evidence, formerMark: 'x' });
    judge.isProven(empty, 0);
    judge.isProven(silent, 50);

    expect(judge.isProven(empty, 120)).toBe(false);
    expect(judge.isProven(serving('two', 'x', false), 150)).toBe(true);
    expect(judge.isProven(empty, 230)).toBe(false);
    expect(judge.isProven(serving('two', 'two@2'), 240)).toBe(true);
  });
});
