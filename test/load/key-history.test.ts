import { describe, expect, it } from 'vitest';
import type { Expectation } from './contract.ts';
import { KeyHistory } from './key-history.ts';

function phase(name: string, change: Partial<Expectation> = {}): Expectation {
  return { phase: name, versions: {}, gained: [], settled: true, ...change };
}

/** Keys 0 and 1 on blue, key 2 on green, settled at expectation 0. */
function aHistory(): KeyHistory {
  const history = new KeyHistory(10, phase('90/10'));
  for (const [key, variant] of ['blue', 'blue', 'green'].entries()) history.observe(key, variant, 0);
  return history;
}

describe('KeyHistory', () => {
  it('counts distinct keys by variant', () => {
    const history = aHistory();
    history.observe(0, 'blue', 0);

    expect(history.counts()).toEqual({ blue: 2, green: 1 });
  });

  it('reports a key that changes its variant while the weights stay', () => {
    const history = aHistory();

    expect(history.observe(0, 'blue', 0)).toBeUndefined();
    expect(history.observe(0, 'green', 0)).toBe('a key left blue for green while the weights stayed');
  });

  it('lets a key go to and fro towards the winner until every router has the new weights', () => {
    const history = aHistory();
    history.expect(phase('50/50', { gained: ['green'], settled: false }), 1);

    expect([history.observe(0, 'green', 1), history.observe(0, 'blue', 1)]).toEqual([undefined, undefined]);
    expect(history.counts()).toEqual({});
  });

  it('reports a key that moves to a variant whose share did not grow, before and after the change is settled', () => {
    const history = aHistory();
    const moved = 'a key moved to blue, whose share did not grow';
    history.expect(phase('50/50', { gained: ['green'], settled: false }), 1);

    expect(history.observe(2, 'blue', 1)).toBe(moved);
    history.expect(phase('50/50', { gained: ['green'] }), 2);
    expect(history.observe(2, 'blue', 2)).toBe(moved);
  });

  it('judges a request that began before the phase was settled as if it were not', () => {
    const history = aHistory();
    history.expect(phase('50/50', { gained: ['green'], settled: false }), 1);
    history.expect(phase('50/50', { gained: ['green'] }), 2);
    history.observe(0, 'green', 2);

    expect(history.observe(0, 'blue', 1)).toBeUndefined();
    expect(history.observe(0, 'blue', 2)).toBe('a key left green for blue while the weights stayed');
  });

  it('stays settled when only the versions change', () => {
    const history = aHistory();
    history.expect(phase('90/10', { versions: { blue: ['2'] } }), 1);

    expect(history.counts()).toEqual({ blue: 2, green: 1 });
    expect(history.observe(0, 'green', 1)).toContain('while the weights stayed');
    expect(history.observe(1, 'green', 0)).toContain('while the weights stayed');
  });

  it('remembers through a phase in which a key was not seen, and counts the keys that moved', () => {
    const history = aHistory();
    history.expect(phase('50/50', { gained: ['green'] }), 1);
    history.observe(0, 'green', 1);
    history.expect(phase('0/100', { gained: ['green'] }), 2);
    history.observe(0, 'green', 2);
    history.observe(1, 'green', 2);

    expect(history.moved()).toBe(1);
    expect(history.observe(2, 'blue', 2)).toContain('did not grow');
  });
});
