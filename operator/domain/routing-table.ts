// The routing table that follows the present one: slots, bucket ranges, and whether there is capacity for them. Pure.
import { BUCKETS, isWhole, SLOTS } from '../../router/contract.ts';
import type { BucketRange, RouterTable, SlotEntry } from '../../router/contract.ts';
import { nextRanges } from '../../router/split.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import { variantName } from './names.ts';
import type { RouterObserved, ServiceTarget } from './observed.ts';
import { isMute } from './router-silence.ts';

export interface VariantCapacity {
  readonly name: string;
  readonly weight: number;
  readonly replicas: number;
  /** Pods that are ready and report what they should. */
  readonly ready: number;
}

export interface TableInput {
  readonly resource: string;
  readonly variants: readonly VariantCapacity[];
  /** Ready pods of variants that are no longer wanted. */
  readonly leaving: ReadonlyMap<string, number>;
  readonly router: RouterObserved;
  readonly service: ServiceTarget | undefined;
  /** Weights that all routers had confirmed last. */
  readonly confirmed: readonly { readonly name: string; readonly weight: number }[];
}

/** 'unknown': it is lost, and the routers that know it have yet to say it. undefined: nothing has divided traffic yet. */
export type PresentTable = RouterTable | 'unknown' | undefined;

export interface NextTable {
  /** Absent while the present one is unknown. */
  readonly table?: RouterTable;
  /** Variants that lack ready pods for their larger share, so that the table stays as it is. */
  readonly held: readonly string[];
}

/**
 * The table that follows the present one. It stays as it is while a variant that gains has fewer ready pods than replicas and a variant that
 * loses could still serve: weight is raised only onto capacity, and lowered at once when there is nothing to lose.
 */
export function nextTable(input: TableInput, present: PresentTable): NextTable {
  if (present === 'unknown') return { held: [] };
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

/**
 * What holds now. Where somebody has deleted or damaged the ConfigMap, that is what the routers go on applying, so that no key moves: it is not made
 * anew before they have had time to say so.
 */
export function presentTable(input: TableInput): PresentTable {
  const { router, service } = input;
  if (router.table !== undefined) return router.table;
  if (service?.kind === 'variant') return firstTable(input, service.variant);
  const live = router.pods.filter(({ terminating }) => !terminating);
  const told = live.flatMap(({ applied }) => (applied?.table && isWhole(applied.table) ? [applied.table] : []));
  const [newest] = told.toSorted((a, b) => b.generation - a.generation);
  if (newest !== undefined) return newest;
  if (live.some((pod) => pod.ready && pod.applied === undefined && !isMute(pod))) return 'unknown';
  return service === undefined ? undefined : confirmedTable(input);
}

/** Where the Service points at a variant's pods, that variant starts with all the traffic: another one gets its share when it has pods for it. */
function firstTable({ resource }: TableInput, variant: string): RouterTable {
  const slots = [{ slot: 0, variant, service: variantName(resource, variant) }];
  return { generation: 1, slots, ranges: [{ from: 0, to: BUCKETS - 1, slot: 0 }] };
}

/** The table that the confirmed weights would have made at first: the best guess when no router is left that knows more. */
function confirmedTable({ resource, confirmed }: TableInput): RouterTable | undefined {
  if (!confirmed.some(({ weight }) => weight > 0)) return undefined;
  const slots = confirmed.map(({ name }, slot) => ({ slot, variant: name, service: variantName(resource, name) }));
  return {
    generation: 1,
    slots,
    ranges: nextRanges(
      undefined,
      confirmed.map(({ weight }, slot) => ({ slot, weight })),
    ),
  };
}

function shortOfCapacity(
  input: TableInput,
  present: RouterTable,
  slotOf: ReadonlyMap<string, number>,
  ranges: readonly BucketRange[],
): readonly string[] {
  const change = (variant: VariantCapacity) => {
    const slot = slotOf.get(variant.name);
    return slot === undefined ? 0 : buckets(ranges, slot) - buckets(present.ranges, slot);
  };
  const removed = sharers(present).some((name) => !slotOf.has(name) && canServe(input, name));
  const somethingToLose = removed || input.variants.some((variant) => change(variant) < 0 && variant.ready > 0);
  if (!somethingToLose) return [];
  return input.variants
    .filter((variant) => change(variant) > 0 && variant.ready < Math.max(1, variant.replicas))
    .map(({ name }) => name);
}

/** Whether the variant has the pods to take all traffic at once: all of them where another one that serves would lose its share, else one. */
export function mayTakeAll(input: TableInput, variant: VariantCapacity): boolean {
  const { service } = input;
  const present = service?.kind === 'variant' ? firstTable(input, service.variant) : presentTable(input);
  const losers = present === undefined || present === 'unknown' ? [] : sharers(present);
  const isLoss = present === 'unknown' || losers.some((name) => name !== variant.name && canServe(input, name));
  return variant.ready >= (isLoss ? Math.max(1, variant.replicas) : 1);
}

/** Variants with a share of the table. */
function sharers({ slots, ranges }: RouterTable): readonly string[] {
  return slots.filter(({ slot }) => buckets(ranges, slot) > 0).map(({ variant }) => variant);
}

/** A variant, of the spec or no longer, that has a pod to answer with. */
function canServe({ variants, leaving }: TableInput, name: string): boolean {
  return (variants.find((variant) => variant.name === name)?.ready ?? leaving.get(name) ?? 0) > 0;
}

/** A variant keeps its slot; a new one takes the next free one, which no router still drains as far as they say. */
function assignSlots(input: TableInput, present: readonly SlotEntry[]): SlotEntry[] {
  const taken = new Set(present.map(({ slot }) => slot));
  const draining = new Set(input.router.pods.flatMap(undrainedSlots));
  return input.variants.map(({ name }) => {
    const known = present.find(({ variant }) => variant === name);
    if (known !== undefined) return known;
    const slot = freeSlot(taken, draining);
    taken.add(slot);
    return { slot, variant: name, service: variantName(input.resource, name) };
  });
}

/** Slots that a router has in use, by the table it applies and beside it. */
function undrainedSlots({ applied }: RouterObserved['pods'][number]): readonly number[] {
  return applied === undefined ? [] : [...applied.slots.map(({ slot }) => slot), ...(applied.leaving ?? [])];
}

/** After the highest in use, going round. When every free one drains any of them has to do: routers fill it only when it is empty. */
function freeSlot(taken: ReadonlySet<number>, draining: ReadonlySet<number>): number {
  const highest = Math.max(-1, ...taken, ...draining);
  const round = Array.from({ length: SLOTS }, (_, at) => (highest + 1 + at) % SLOTS);
  const free = round.filter((slot) => !taken.has(slot));
  const slot = free.find((each) => !draining.has(each)) ?? free[0];
  if (slot === undefined) throw new RangeError(`a table has at most ${SLOTS} slots`);
  return slot;
}

function buckets(ranges: readonly BucketRange[], slot: number): number {
  return ranges.reduce((sum, range) => (range.slot === slot ? sum + range.to - range.from + 1 : sum), 0);
}
