import { describe, expect, it } from 'vitest';
import { checksumOf } from '../../router/checksum.ts';
import type { RouterTable } from '../../router/contract.ts';
import type { RouterPodObserved } from './observed.ts';
import type { VariantCapacity } from './routing-table.ts';
import { planTraffic, trafficMode, type TrafficInput } from './traffic.ts';

const traffic = { router: 'Auto', service: { type: 'ClusterIP', port: 80 } } as const;
const variant = (name: string, weight: number, overrides: Partial<VariantCapacity> = {}): VariantCapacity => ({
  name,
  weight,
  replicas: 2,
  ready: 2,
  ...overrides,
});
const anInput = (overrides: Partial<TrafficInput> = {}): TrafficInput => ({
  resource: 'retail',
  traffic,
  variants: [variant('blue', 90), variant('green', 10)],
  leaving: new Map(),
  router: { pods: [] },
  service: undefined,
  confirmed: [],
  ...overrides,
});
const first = planTraffic(anInput(), 'HAProxy').table!;
const bucketsOf = (table: RouterTable | undefined, name: string): number => {
  const slot = table?.slots.find((entry) => entry.variant === name)?.slot;
  return (table?.ranges ?? [])
    .filter((range) => range.slot === slot)
    .reduce((sum, { from, to }) => sum + to - from + 1, 0);
};
const router = (
  name: string,
  table: RouterTable,
  overrides: Partial<RouterPodObserved> = {},
  skipped: readonly string[] = [],
): RouterPodObserved => ({
  name,
  uid: `uid-${name}`,
  ready: true,
  terminating: false,
  applied: {
    generation: table.generation,
    checksum: checksumOf(table),
    slots: table.slots.map(({ slot, variant: of }) => ({
      slot,
      variant: of,
      servers: 2,
      buckets: bucketsOf(table, of),
      skipped: skipped.includes(of),
    })),
  },
  ...overrides,
});

describe('the mode', () => {
  const spec = (variants: number, extra: object = {}) => ({
    traffic: { ...traffic, ...extra },
    variants: Array.from({ length: variants }, () => ({}) as never),
  });

  it('is a plain Service only when the spec cannot divide traffic', () => {
    expect(trafficMode(spec(1))).toBe('Service');
    expect(trafficMode(spec(2))).toBe('HAProxy');
    expect(trafficMode(spec(1, { sticky: { header: 'x-user-id' } }))).toBe('HAProxy');
    expect(trafficMode(spec(1, { overrideHeader: 'x-model-variant' }))).toBe('HAProxy');
    expect(trafficMode(spec(1, { router: 'HAProxy' }))).toBe('HAProxy');
  });
});

describe('through the router', () => {
  it('divides the buckets by weight', () => {
    expect([bucketsOf(first, 'blue'), bucketsOf(first, 'green')]).toEqual([9000, 1000]);
  });

  it('calls weights acknowledged only when every serving router reports the table', () => {
    const at = (pods: readonly RouterPodObserved[]) =>
      planTraffic(anInput({ router: { table: first, pods } }), 'HAProxy');
    const old = { ...router('b', first), applied: { ...router('b', first).applied!, checksum: 'of another table' } };
    expect(at([]).acknowledged).toBe(false);
    expect(at([router('a', first), old]).acknowledged).toBe(false);
    expect(at([router('a', first), { ...old, terminating: true, ready: false }]).acknowledged).toBe(false);
    expect(at([router('a', first), { name: 'mute', uid: 'm', ready: false, terminating: true }]).acknowledged).toBe(
      true,
    );
    expect(at([router('a', first), router('b', first)]).shares.get('blue')).toEqual({ weight: 90, percent: '90%' });
  });

  it('changes the generation only when the table changes', () => {
    const input = anInput({ router: { table: first, pods: [router('a', first)] } });
    expect(planTraffic(input, 'HAProxy').table).toBe(first);
    expect(
      planTraffic({ ...input, variants: [variant('blue', 50), variant('green', 50)] }, 'HAProxy').table?.generation,
    ).toBe(2);
  });

  it('raises no share before the variant that gains has its ready pods', () => {
    const input = anInput({
      variants: [variant('blue', 50), variant('green', 50, { ready: 1 })],
      router: { table: first, pods: [router('a', first)] },
    });

    const plan = planTraffic(input, 'HAProxy');

    expect(plan.table).toBe(first);
    expect(plan).toMatchObject({ held: ['green'], acknowledged: false });
  });

  it('leaves all traffic with the variant that the Service points at until the others have their pods', () => {
    const service = { kind: 'variant', variant: 'blue' } as const;
    const at = (ready: number) =>
      planTraffic(anInput({ variants: [variant('blue', 50), variant('green', 50, { ready })], service }), 'HAProxy');
    expect(bucketsOf(at(1).table, 'blue')).toBe(10_000);
    expect(at(1).held).toEqual(['green']);
    expect(bucketsOf(at(2).table, 'green')).toBe(5000);
  });

  it('moves at once when the variant that loses has no pod to lose', () => {
    const input = anInput({
      variants: [variant('blue', 0, { ready: 0 }), variant('green', 100, { ready: 1 })],
      router: { table: first, pods: [] },
    });
    expect(bucketsOf(planTraffic(input, 'HAProxy').table, 'green')).toBe(10_000);
  });

  it('keeps the slot of a variant and gives a new one a slot that nobody had', () => {
    const input = anInput({ variants: [variant('green', 50), variant('red', 50)], router: { table: first, pods: [] } });
    expect(planTraffic(input, 'HAProxy').table?.slots).toEqual([
      { slot: 1, variant: 'green', service: 'retail--green' },
      { slot: 2, variant: 'red', service: 'retail--red' },
    ]);
  });

  it('names a variant that routers skip because it has no ready pod', () => {
    const plan = planTraffic(
      anInput({ router: { table: first, pods: [router('a', first, {}, ['green'])] } }),
      'HAProxy',
    );
    expect(plan.skipped).toEqual(['green']);
  });

  it('leaves the Service where it is until a router has confirmed', () => {
    const service = { kind: 'variant', variant: 'blue' } as const;
    expect(planTraffic(anInput({ service }), 'HAProxy').target).toEqual(service);
    expect(
      planTraffic(anInput({ service, router: { table: first, pods: [router('a', first)] } }), 'HAProxy').target,
    ).toEqual({ kind: 'router' });
  });
});

describe('through a plain Service', () => {
  it('leaves the routers only when the variant has a ready pod', () => {
    const at = (ready: number) =>
      planTraffic(anInput({ variants: [variant('blue', 1, { ready })], service: { kind: 'router' } }), 'Service');
    expect(at(0)).toMatchObject({ target: { kind: 'router' }, acknowledged: false });
    expect(at(1)).toMatchObject({ target: { kind: 'variant', variant: 'blue' }, acknowledged: true });
  });

  describe('takes the traffic of others', () => {
    const target = { kind: 'variant', variant: 'blue' };
    const at = (ready: number, overrides: Partial<TrafficInput>) =>
      planTraffic(anInput({ variants: [variant('blue', 1, { ready })], ...overrides }), 'Service');

    it('that routers gave it only with as many pods as through the routers', () => {
      const routed = { service: { kind: 'router' } as const, router: { table: first, pods: [] } };
      const leaving = new Map([['green', 1]]);
      expect(at(1, { ...routed, leaving })).toMatchObject({ target: { kind: 'router' }, held: ['blue'] });
      expect(at(2, { ...routed, leaving })).toMatchObject({ target, held: [] });
      expect(at(1, routed)).toMatchObject({ target, held: [] });
    });

    it('from the pods of another variant, too', () => {
      const service = { kind: 'variant', variant: 'green' } as const;
      expect(at(1, { service, leaving: new Map([['green', 2]]) })).toMatchObject({ target: service, held: ['blue'] });
      expect(at(1, { service })).toMatchObject({ target });
    });

    it('but stays where it is with any number of pods', () => {
      const service = { kind: 'variant', variant: 'blue' } as const;
      expect(at(0, { service })).toMatchObject({ target, acknowledged: true });
    });
  });
});
