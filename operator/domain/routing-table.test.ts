import { describe, expect, it } from 'vitest';
import type { Applied, RouterTable } from '../../router/contract.ts';
import { SLOTS } from '../../router/contract.ts';
import type { RouterPodObserved } from './observed.ts';
import { MUTE_DEADLINE_MS } from './router-silence.ts';
import { nextTable, presentTable, type TableInput, type VariantCapacity } from './routing-table.ts';

const variant = (name: string, weight: number): VariantCapacity => ({ name, weight, replicas: 2, ready: 2 });
const input = (overrides: Partial<TableInput> = {}): TableInput => ({
  resource: 'retail',
  variants: [variant('blue', 50), variant('green', 50)],
  leaving: new Map(),
  router: { pods: [] },
  service: { kind: 'router' },
  confirmed: [],
  ...overrides,
});
/** A table whose ranges tell of its history: made anew they would lie otherwise. */
const grown: RouterTable = {
  generation: 9,
  slots: [
    { slot: 4, variant: 'blue', service: 'retail--blue' },
    { slot: 2, variant: 'green', service: 'retail--green' },
  ],
  ranges: [
    { from: 0, to: 2499, slot: 4 },
    { from: 2500, to: 7499, slot: 2 },
    { from: 7500, to: 9999, slot: 4 },
  ],
};
const router = (
  name: string,
  applied?: Partial<Applied>,
  more: Partial<RouterPodObserved> = {},
): RouterPodObserved => ({
  name,
  uid: name,
  ready: true,
  terminating: false,
  ...(applied && { applied: { generation: 1, checksum: '', slots: [], ...applied } }),
  ...more,
});
const next = (overrides: Partial<TableInput> = {}) => {
  const whole = input(overrides);
  return nextTable(whole, presentTable(whole));
};

describe('a table that somebody has deleted', () => {
  it('is taken from the routers that apply it, so that no key moves', () => {
    const pods = [router('a', { table: { ...grown, generation: 8 } }), router('b', { table: grown })];
    expect(next({ router: { pods } })).toEqual({ table: grown, held: [] });
  });

  it('is not made anew while a router may still say it, and nothing is decided until then', () => {
    const silent = (ms: number) => router('a', undefined, { silence: { ms, hasAnswered: true } });
    expect(next({ router: { pods: [silent(0)] } })).toEqual({ held: [] });
    expect(next({ router: { pods: [silent(MUTE_DEADLINE_MS)] } }).table?.generation).toBe(1);
  });

  it('is made of the confirmed weights when no router is left, so that new ones wait for capacity', () => {
    const confirmed = [
      { name: 'blue', weight: 90 },
      { name: 'green', weight: 10 },
    ];
    const variants = [variant('blue', 10), { ...variant('green', 90), ready: 1 }];
    const { table, held } = next({ confirmed, variants });
    expect(table?.ranges).toEqual([
      { from: 0, to: 8999, slot: 0 },
      { from: 9000, to: 9999, slot: 1 },
    ]);
    expect(held).toEqual(['green']);
  });

  it('is not taken from a router that goes away, nor from one whose table has holes', () => {
    const holes = { ...grown, ranges: grown.ranges.slice(1) };
    const pods = [router('a', { table: grown }, { terminating: true }), router('b', { table: holes })];
    expect(next({ router: { pods } }).table?.generation).toBe(1);
  });

  it('does not matter while the Service sends everything to one variant', () => {
    const service = { kind: 'variant', variant: 'blue' } as const;
    const present = presentTable(input({ service, router: { pods: [router('a', { table: grown })] } }));
    expect(present).toMatchObject({ ranges: [{ from: 0, to: 9999, slot: 0 }] });
  });
});

describe('a variant that was deleted', () => {
  const after = (ready: number) =>
    next({
      variants: [{ ...variant('blue', 100), ready: 1 }],
      leaving: new Map(ready > 0 ? [['green', ready]] : []),
      router: { table: grown, pods: [] },
    });

  it('goes on with its share until the others have the pods for it', () => {
    expect(after(1)).toEqual({ table: grown, held: ['blue'] });
  });

  it('loses it at once when it has no ready pod: there is nothing to lose', () => {
    expect(after(0).table?.ranges).toEqual([{ from: 0, to: 9999, slot: 4 }]);
  });
});

describe('the slot of a new variant', () => {
  const slotOfRed = (pods: readonly RouterPodObserved[], table = grown) =>
    next({ variants: [variant('blue', 50), variant('red', 50)], router: { table, pods } }).table?.slots.find(
      (entry) => entry.variant === 'red',
    )?.slot;

  it('is never one that a router still drains', () => {
    expect(slotOfRed([])).toBe(5);
    expect(slotOfRed([router('a', { leaving: [5] })])).toBe(6);
    expect(slotOfRed([router('a', { leaving: [7] }), router('b', { leaving: [SLOTS - 1] })])).toBe(0);
  });

  it('is never one of the table before, which a router may not have left yet', () => {
    const slots = [{ slot: 5, variant: 'gone', servers: 1, buckets: 0, skipped: false }];
    expect(slotOfRed([router('a', { slots })])).toBe(6);
  });

  it('is found although all free ones drain: routers fill it when it is empty', () => {
    const leaving = Array.from({ length: SLOTS }, (_, slot) => slot);
    expect(slotOfRed([router('a', { leaving })])).toBe(0);
  });
});
