// What HAProxy should hold, from the table, the endpoints and what it holds now: servers for each slot and the lines of each map. Pure.
import type { Applied, RouterTable, SlotEntry } from './contract.ts';
import type { Endpoints } from './endpoints.ts';
import { CHECKSUM, DRAINING, GENERATION, serviceKey } from './haproxy/config.ts';
import type { MapName, Server } from './haproxy/config.ts';
import type { MapEntries } from './haproxy/maps.ts';
import { serverPath } from './server-plan.ts';
import type { ActualServer } from './server-plan.ts';
import { bucketsOf, withoutEmpty } from './split.ts';

/** What the router has been told. */
export interface Known {
  readonly table: RouterTable;
  /** See checksumOf. */
  readonly checksum: string;
  readonly endpoints: Endpoints;
  /** The pod is going away: end connections with their next answer. */
  readonly draining: boolean;
}

/** A map that the configuration does not read has no entries. */
export type Maps = Readonly<Record<MapName, MapEntries>>;

/** What HAProxy holds. */
export interface Actual {
  readonly servers: readonly ActualServer[];
  readonly maps: Maps;
}

export interface DesiredServer extends Server {
  /** Going away, and used only because its slot has nothing better: it earns the slot no buckets. */
  readonly lastResort: boolean;
}

export const NOTHING: Actual = { servers: [], maps: { buckets: [], variants: [], override: [], table: [] } };

/**
 * The servers of every slot: the ready pods of its Service, else those that still answer while they go away. A slot that passes to another
 * variant or Service gets none until the last server of the former one is gone.
 */
export function desiredServers({ table, endpoints }: Known, actual: Actual): DesiredServer[] {
  return table.slots.flatMap((entry) => {
    if (formerOf(entry, actual) !== undefined) return [];
    const pods = endpoints.get(entry.service) ?? [];
    const ready = pods.filter((pod) => pod.ready);
    return (ready.length > 0 ? ready : pods).map((pod) => ({
      slot: entry.slot,
      name: pod.uid,
      address: pod.address,
      port: pod.port,
      lastResort: !pod.ready,
    }));
  });
}

/** Slots of the table for which no ready pod takes requests. */
export function emptySlots(
  { table }: Known,
  desired: readonly DesiredServer[],
  actual: readonly ActualServer[],
): ReadonlySet<number> {
  const working = new Set(actual.filter(({ up, mode }) => up && mode === 'ready').map(serverPath));
  const filled = new Set(desired.filter((s) => !s.lastResort && working.has(serverPath(s))).map(({ slot }) => slot));
  return new Set(table.slots.map(({ slot }) => slot).filter((slot) => !filled.has(slot)));
}

/** The lines of every map. The declared ranges stay what they are; those of empty slots are served by the others. */
export function desiredMaps(known: Known, empty: ReadonlySet<number>, actual: Actual): Maps {
  const { table } = known;
  const ranges = withoutEmpty(table.ranges, empty);
  const slots = namedSlots(table, actual);
  return {
    buckets: ranges.map(({ from, to, slot }) => [`${from}:${to}`, String(slot)]),
    variants: slots.map(({ slot, variant }) => [String(slot), variant]),
    override: overrides(table, bucketsOf(ranges), empty),
    table: [
      [GENERATION, String(known.table.generation)],
      [CHECKSUM, known.checksum],
      ...slots.map(({ slot, service }): [string, string] => [serviceKey(slot), service]),
      ...(known.draining ? [[DRAINING, '1'] as const] : []),
    ],
  };
}

/** What GET /applied says: taken from HAProxy itself. `table` is the declared table if it is the one that HAProxy holds. */
export function appliedOf(actual: Actual, known: Pick<Known, 'table' | 'checksum'> | undefined): Applied {
  const checksum = valueOf(actual.maps.table, CHECKSUM) ?? '';
  const declared = known?.checksum === checksum ? known.table : undefined;
  const asked = bucketsOf(declared?.ranges ?? []);
  const served = bucketsOf(rangesOf(actual.maps.buckets));
  const slots = declared?.slots ?? actual.maps.variants.map(([slot, variant]) => ({ slot: Number(slot), variant }));
  return {
    generation: Number(valueOf(actual.maps.table, GENERATION) ?? 0),
    checksum,
    ...(declared !== undefined && { table: declared, leaving: leavingSlots(declared, actual) }),
    slots: slots.map(({ slot, variant }) => ({
      slot,
      variant,
      servers: actual.servers.filter((server) => server.slot === slot && server.up && server.mode === 'ready').length,
      buckets: served.get(slot) ?? 0,
      skipped: (asked.get(slot) ?? 0) > 0 && !served.has(slot),
    })),
  };
}

/** The entry that a slot had before, when servers of that time are still in it and it now means something else. */
function formerOf(entry: SlotEntry, actual: Actual): SlotEntry | undefined {
  const former = committedEntry(entry.slot, actual);
  if (former === undefined || !actual.servers.some(({ slot }) => slot === entry.slot)) return undefined;
  return former.service === entry.service && former.variant === entry.variant ? undefined : former;
}

function committedEntry(slot: number, { maps }: Actual): SlotEntry | undefined {
  const variant = valueOf(maps.variants, String(slot));
  const service = valueOf(maps.table, serviceKey(slot));
  return variant === undefined || service === undefined ? undefined : { slot, variant, service };
}

/** Slots of the table under the name that holds for their requests, and slots that have left the table but not yet their servers. */
function namedSlots(table: RouterTable, actual: Actual): SlotEntry[] {
  return [
    ...table.slots.map((entry) => formerOf(entry, actual) ?? entry),
    ...leavingSlots(table, actual).flatMap((slot) => committedEntry(slot, actual) ?? []),
  ];
}

/** Slots that hold servers and are not in the table. */
function leavingSlots(table: RouterTable, actual: Actual): number[] {
  const declared = new Set(table.slots.map(({ slot }) => slot));
  return [...new Set(actual.servers.map(({ slot }) => slot))].filter((slot) => !declared.has(slot));
}

/** Each variant that can answer → the slot of it with the largest share. */
function overrides(
  table: RouterTable,
  buckets: ReadonlyMap<number, number>,
  empty: ReadonlySet<number>,
): [string, string][] {
  const best = new Map<string, number>();
  for (const { slot, variant } of table.slots) {
    const rival = best.get(variant);
    const better = rival === undefined || (buckets.get(slot) ?? 0) > (buckets.get(rival) ?? 0);
    if (!empty.has(slot) && better) best.set(variant, slot);
  }
  return [...best].map(([variant, slot]) => [variant, String(slot)]);
}

function rangesOf(entries: MapEntries): { from: number; to: number; slot: number }[] {
  return entries.map(([key, slot]) => {
    const [from = 0, to = from] = key.split(':').map(Number);
    return { from, to, slot: Number(slot) };
  });
}

function valueOf(entries: MapEntries, key: string): string | undefined {
  return entries.find(([name]) => name === key)?.[1];
}
