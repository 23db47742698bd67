import { describe, expect, it } from 'vitest';
import { BUCKETS } from './contract.ts';
import type { RouterTable, SlotEntry } from './contract.ts';
import { appliedOf, desiredMaps, desiredServers, emptySlots, NOTHING } from './desired.ts';
import type { Actual, Known } from './desired.ts';
import type { Endpoint } from './endpoints.ts';
import type { ActualServer } from './server-plan.ts';
import { nextRanges } from './split.ts';

const BLUE: SlotEntry = { slot: 0, variant: 'blue', service: 'retail--blue' };
const GREEN: SlotEntry = { slot: 1, variant: 'green', service: 'retail--green' };

function pod(uid: string, ready = true): Endpoint {
  return { uid, address: '10.0.0.1', port: 8080, ready };
}

function tableOf(entries: readonly SlotEntry[], weights: readonly number[]): RouterTable {
  const shares = entries.map(({ slot }, index) => ({ slot, weight: weights[index] ?? 0 }));
  return { generation: 7, slots: [...entries], ranges: nextRanges(undefined, shares) };
}

function known(overrides: Partial<Known> = {}): Known {
  return {
    table: tableOf([BLUE, GREEN], [60, 40]),
    checksum: 'c7',
    endpoints: new Map([
      [BLUE.service, [pod('b1'), pod('b2')]],
      [GREEN.service, [pod('g1')]],
    ]),
    draining: false,
    ...overrides,
  };
}

function running(name: string, slot: number, overrides: Partial<ActualServer> = {}): ActualServer {
  return { slot, name, address: '10.0.0.1', port: 8080, up: true, mode: 'ready', inUse: 0, ...overrides };
}

/** HAProxy after everything of `state` was carried out. */
function settled(state: Known, servers: readonly ActualServer[]): Actual {
  const empty = emptySlots(state, desiredServers(state, NOTHING), servers);
  return { servers, maps: desiredMaps(state, empty, { ...NOTHING, servers }) };
}

const RUNNING = [running('b1', 0), running('b2', 0), running('g1', 1)];

describe('desiredServers', () => {
  it('puts the ready pods of each Service into its slot', () => {
    expect(desiredServers(known(), NOTHING).map(({ slot, name }) => `${slot} ${name}`)).toEqual([
      '0 b1',
      '0 b2',
      '1 g1',
    ]);
  });

  it('uses pods that are going away only when nothing else is there, and gives them no buckets', () => {
    const state = known({
      endpoints: new Map([
        [BLUE.service, [pod('b1'), pod('b2', false)]],
        [GREEN.service, [pod('g1', false)]],
      ]),
    });

    const servers = desiredServers(state, NOTHING);

    expect(servers.map(({ name, lastResort }) => [name, lastResort])).toEqual([
      ['b1', false],
      ['g1', true],
    ]);
    expect(emptySlots(state, servers, [running('b1', 0), running('g1', 1)])).toEqual(new Set([1]));
  });

  it('puts nothing into a slot that still holds servers of another variant', () => {
    const before = settled(known(), RUNNING);
    const red = { slot: 1, variant: 'red', service: 'retail--red' };
    const state = known({ table: tableOf([BLUE, red], [60, 40]), endpoints: new Map([[red.service, [pod('r1')]]]) });

    const blocked = desiredServers(state, before);
    const maps = desiredMaps(state, new Set([1]), before);

    expect(blocked.filter(({ slot }) => slot === 1)).toEqual([]);
    expect(maps.variants).toContainEqual(['1', 'green']);
    expect(maps.table).toContainEqual(['service:1', 'retail--green']);
    expect(maps.buckets.map(([, slot]) => slot)).toEqual(['0']);
    const free = { ...before, servers: [] };
    expect(desiredServers(state, free).map(({ name }) => name)).toEqual(['r1']);
    expect(desiredMaps(state, new Set(), free).variants).toContainEqual(['1', 'red']);
  });
});

describe('emptySlots', () => {
  it.each([
    ['is down', { up: false }],
    ['drains', { mode: 'drain' as const }],
    ['is in maintenance', { mode: 'maintenance' as const }],
  ])('counts a slot as empty when its only server %s', (_what, overrides) => {
    const state = known();

    expect(emptySlots(state, desiredServers(state, NOTHING), [running('b1', 0), running('g1', 1, overrides)])).toEqual(
      new Set([1]),
    );
  });

  it('does not count servers that the slot should not have', () => {
    const state = known();

    expect(emptySlots(state, desiredServers(state, NOTHING), [running('old', 0), running('g1', 1)])).toEqual(
      new Set([0]),
    );
  });
});

describe('desiredMaps', () => {
  it('gives each map its lines', () => {
    expect(desiredMaps(known(), new Set(), NOTHING)).toEqual({
      buckets: [
        ['0:5999', '0'],
        ['6000:9999', '1'],
      ],
      variants: [
        ['0', 'blue'],
        ['1', 'green'],
      ],
      override: [
        ['blue', '0'],
        ['green', '1'],
      ],
      table: [
        ['generation', '7'],
        ['checksum', 'c7'],
        ['service:0', 'retail--blue'],
        ['service:1', 'retail--green'],
      ],
    });
  });

  it('serves the buckets of an empty slot from the others and takes its variant from the override', () => {
    const maps = desiredMaps(known(), new Set([1]), NOTHING);

    expect(maps.buckets).toEqual([['0:9999', '0']]);
    expect(maps.override).toEqual([['blue', '0']]);
  });

  it('overrides to the slot of a variant that has the largest share', () => {
    const canary = { slot: 5, variant: 'blue', service: 'retail--blue-2' };
    const state = known({ table: tableOf([BLUE, canary], [10, 90]) });

    expect(desiredMaps(state, new Set(), NOTHING).override).toEqual([['blue', '5']]);
    expect(desiredMaps(state, new Set([5]), NOTHING).override).toEqual([['blue', '0']]);
  });

  it('keeps the name of a slot that left the table for as long as it holds servers', () => {
    const before = settled(known(), RUNNING);
    const state = known({ table: tableOf([BLUE], [1]) });

    expect(desiredMaps(state, new Set(), before).variants).toContainEqual(['1', 'green']);
    expect(desiredMaps(state, new Set(), { ...before, servers: [running('b1', 0)] }).variants).toEqual([['0', 'blue']]);
  });

  it('marks a router that is going away', () => {
    expect(desiredMaps(known({ draining: true }), new Set(), NOTHING).table).toContainEqual(['draining', '1']);
  });
});

describe('appliedOf', () => {
  it('says what HAProxy holds', () => {
    expect(appliedOf(settled(known(), RUNNING), known())).toEqual({
      generation: 7,
      checksum: 'c7',
      slots: [
        { slot: 0, variant: 'blue', servers: 2, buckets: 6_000, skipped: false },
        { slot: 1, variant: 'green', servers: 1, buckets: 4_000, skipped: false },
      ],
      table: known().table,
      leaving: [],
    });
  });

  it('names the slots that have left the table and are not drained', () => {
    const state = known({ table: tableOf([BLUE], [1]) });
    expect(appliedOf(settled(state, RUNNING), state).leaving).toEqual([1]);
  });

  it('marks a slot whose declared buckets others serve', () => {
    const { slots } = appliedOf(settled(known(), [running('b1', 0)]), known());

    expect(slots).toMatchObject([
      { buckets: BUCKETS, skipped: false },
      { servers: 0, buckets: 0, skipped: true },
    ]);
  });

  it('does not take a declared weight of 0 for skipped', () => {
    const state = known({ table: tableOf([BLUE, GREEN], [1, 0]) });

    expect(appliedOf(settled(state, RUNNING), state).slots[1]).toMatchObject({ buckets: 0, skipped: false });
  });

  it('never calls a newer table applied than the one that HAProxy holds', () => {
    const newer = { table: { ...known().table, generation: 8 }, checksum: 'c8' };

    expect(appliedOf(settled(known(), RUNNING), newer)).toMatchObject({ generation: 7, checksum: 'c7' });
  });

  it('is generation 0 before the first table', () => {
    expect(appliedOf(NOTHING, undefined)).toEqual({ generation: 0, checksum: '', slots: [] });
  });
});
