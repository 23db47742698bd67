// Where requests go: the routing table, the target of the stable Service, and what may be called acknowledged.
import { BUCKETS, SLOTS } from '../../router/contract.ts';
import type { Applied, BucketRange, RouterTable, SlotEntry } from '../../router/contract.ts';
import { nextRanges } from '../../router/split.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import { hashOf } from '../runtime/hash.ts';
import type { Spec } from './model-deployment.ts';
import { variantName } from './names.ts';
import type { RouterObserved, RouterPodObserved, ServiceTarget } from './observed.ts';
import { isServing, silentRouters } from './router-silence.ts';

export interface VariantCapacity {
  readonly name: string;
  readonly weight: number;
  readonly replicas: number;
  /** Pods that are ready and report what they should. */
  readonly ready: number;
}

export interface TrafficInput {
  readonly resource: string;
  readonly traffic: Spec['traffic'];
  readonly variants: readonly VariantCapacity[];
  readonly router: RouterObserved;
  readonly service: ServiceTarget | undefined;
}

export type Share = { readonly weight: number; readonly percent: string };

export interface TrafficPlan {
  /** What the spec asks for; the Service follows when that side can take the traffic. */
  readonly mode: 'HAProxy' | 'Service';
  readonly table?: RouterTable;
  readonly target: ServiceTarget;
  /** Every serving router confirms the table, or the Service alone decides. */
  readonly acknowledged: boolean;
  /** A router serves that has yet to confirm the table: no watch will tell when it does. */
  readonly confirming: boolean;
  /** The spec's weights are not in the table yet: these variants lack ready pods for their larger share. */
  readonly held: readonly string[];
  /** Variants whose share goes to the others because they have no ready pod. */
  readonly skipped: readonly string[];
  /** Routers that have not answered for some time. */
  readonly silent: readonly string[];
  readonly shares: ReadonlyMap<string, Share>;
}

/** HAProxy whenever the *spec* could divide traffic, so that the data path changes only by an edit of the spec. */
export function trafficMode(spec: Pick<Spec, 'traffic' | 'variants'>): 'HAProxy' | 'Service' {
  if (spec.traffic.router !== 'Auto') return spec.traffic.router;
  const divides =
    spec.variants.length > 1 || spec.traffic.sticky !== undefined || spec.traffic.overrideHeader !== undefined;
  return divides ? 'HAProxy' : 'Service';
}

/** Decides from what is, never from what was asked before. Pure. */
export function planTraffic(input: TrafficInput, mode: 'HAProxy' | 'Service'): TrafficPlan {
  return mode === 'Service' ? planService(input) : planRouter(input);
}

function planService({ variants, service }: TrafficInput): TrafficPlan {
  const variant = variants.find(({ weight }) => weight > 0) ?? variants[0];
  if (variant === undefined) throw new RangeError('a resource has at least one variant');
  const wanted: ServiceTarget = { kind: 'variant', variant: variant.name };
  const target = service === undefined || variant.ready > 0 ? wanted : service;
  const there = target.kind === 'variant' && target.variant === variant.name;
  return {
    mode: 'Service',
    target,
    acknowledged: there,
    confirming: false,
    held: there ? [] : [variant.name],
    skipped: [],
    silent: [],
    shares: new Map(there ? [[variant.name, { weight: variant.weight, percent: '100%' }]] : []),
  };
}

function planRouter(input: TrafficInput): TrafficPlan {
  const { table, held } = nextTable(input);
  const serving = input.router.pods.filter(isServing);
  const applied = confirmedBy(serving, table, input.router.table);
  const canMove = applied !== undefined && serving.some((pod) => pod.ready);
  const acknowledged = applied !== undefined && held.length === 0;
  return {
    mode: 'HAProxy',
    table,
    target: canMove ? { kind: 'router' } : (input.service ?? { kind: 'router' }),
    acknowledged,
    confirming: serving.length > 0 && applied === undefined,
    held,
    skipped: applied?.slots.filter((slot) => slot.skipped).map((slot) => slot.variant) ?? [],
    silent: silentRouters(input.router.pods),
    shares: acknowledged ? effectiveShares(input.variants, applied) : new Map<string, Share>(),
  };
}

/**
 * What the serving routers apply, once the table is written and every one of them reports it. By its checksum: generations begin anew when somebody
 * deletes the table, or the whole resource while its routers are still there.
 */
function confirmedBy(
  serving: readonly RouterPodObserved[],
  table: RouterTable,
  written: RouterTable | undefined,
): Applied | undefined {
  const checksum = hashOf(table);
  const all = written?.generation === table.generation && serving.every((pod) => pod.applied?.checksum === checksum);
  return all ? serving[0]?.applied : undefined;
}

/**
 * The table that follows the present one. It stays as it is while a variant that gains has fewer ready pods than replicas and a variant that
 * loses could still serve: weight is raised only onto capacity, and lowered at once when there is nothing to lose.
 */
function nextTable(input: TrafficInput): { table: RouterTable; held: readonly string[] } {
  const present = input.router.table ?? firstTable(input);
  const slots = assignSlots(input, present?.slots ?? []);
  const slotOf = new Map(slots.map((entry) => [entry.variant, entry.slot]));
  const shares = input.variants.map(({ name, weight }) => ({ slot: slotOf.get(name) ?? 0, weight }));
  const ranges = nextRanges(present?.ranges, shares);
  if (present === undefined) return { table: { generation: 1, slots, ranges }, held: [] };
  const held = shortOfCapacity(input, present, slotOf, ranges);
  if (held.length > 0) return { table: present, held };
  const same = canonicalJson([slots, ranges]) === canonicalJson([present.slots, present.ranges]);
  return { table: same ? present : { generation: present.generation + 1, slots, ranges }, held: [] };
}

/** Where the Service points at a variant's pods, that variant starts with all the traffic: another one gets its share when it has pods for it. */
function firstTable({ resource, service }: TrafficInput): RouterTable | undefined {
  if (service?.kind !== 'variant') return undefined;
  const { variant } = service;
  const slots = [{ slot: 0, variant, service: variantName(resource, variant) }];
  return { generation: 1, slots, ranges: [{ from: 0, to: BUCKETS - 1, slot: 0 }] };
}

function shortOfCapacity(
  input: TrafficInput,
  present: RouterTable,
  slotOf: ReadonlyMap<string, number>,
  ranges: readonly BucketRange[],
): readonly string[] {
  const change = (variant: VariantCapacity) => {
    const slot = slotOf.get(variant.name);
    return slot === undefined ? 0 : buckets(ranges, slot) - buckets(present.ranges, slot);
  };
  const removed = present.slots.some((entry) => !slotOf.has(entry.variant) && buckets(present.ranges, entry.slot) > 0);
  const somethingToLose = removed || input.variants.some((variant) => change(variant) < 0 && variant.ready > 0);
  if (!somethingToLose) return [];
  return input.variants
    .filter((variant) => change(variant) > 0 && variant.ready < Math.max(1, variant.replicas))
    .map(({ name }) => name);
}

/** A variant keeps its slot; a new one takes the free slot that was left longest ago, so that a slot is not reused while it drains. */
function assignSlots(input: TrafficInput, present: readonly SlotEntry[]): SlotEntry[] {
  const taken = new Set(present.map(({ slot }) => slot));
  let last = Math.max(-1, ...taken);
  return input.variants.map(({ name }) => {
    const known = present.find(({ variant }) => variant === name);
    if (known !== undefined) return known;
    do last = (last + 1) % SLOTS;
    while (taken.has(last));
    taken.add(last);
    return { slot: last, variant: name, service: variantName(input.resource, name) };
  });
}

function buckets(ranges: readonly BucketRange[], slot: number): number {
  return ranges.reduce((sum, range) => (range.slot === slot ? sum + range.to - range.from + 1 : sum), 0);
}

function effectiveShares(variants: readonly VariantCapacity[], applied: Applied): ReadonlyMap<string, Share> {
  return new Map(
    variants.map(({ name, weight }) => {
      const share = applied.slots.find((slot) => slot.variant === name)?.buckets ?? 0;
      return [name, { weight, percent: `${String(Math.round((share / BUCKETS) * 10_000) / 100)}%` }];
    }),
  );
}
