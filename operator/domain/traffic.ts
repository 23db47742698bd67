// Where requests go: the routing table, the target of the stable Service, and what may be called acknowledged.
import { BUCKETS } from '../../router/contract.ts';
import type { Applied, RouterTable } from '../../router/contract.ts';
import { hashOf } from '../runtime/hash.ts';
import type { Spec } from './model-deployment.ts';
import type { RouterPodObserved, ServiceTarget } from './observed.ts';
import { isServing, silentRouters } from './router-silence.ts';
import {
  mayTakeAll,
  nextTable,
  presentTable,
  type PresentTable,
  type TableInput,
  type VariantCapacity,
} from './routing-table.ts';

export interface TrafficInput extends TableInput {
  readonly traffic: Spec['traffic'];
}

export type Share = { readonly weight: number; readonly percent: string };

export interface TrafficPlan {
  /** What the spec asks for; the Service follows when that side can take the traffic. */
  readonly mode: 'HAProxy' | 'Service';
  /** How routers divide traffic until they confirm another table. */
  readonly present: PresentTable;
  /** The table to be written. */
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
  const present = presentTable(input);
  return mode === 'Service' ? planService(input, present) : planRouter(input, present);
}

function planService(input: TrafficInput, present: PresentTable): TrafficPlan {
  const { variants, service } = input;
  const variant = variants.find(({ weight }) => weight > 0) ?? variants[0];
  if (variant === undefined) throw new RangeError('a resource has at least one variant');
  const wanted: ServiceTarget = { kind: 'variant', variant: variant.name };
  const target = service === undefined || mayTakeAll(input, variant) ? wanted : service;
  const there = target.kind === 'variant' && target.variant === variant.name;
  return {
    mode: 'Service',
    present,
    target,
    acknowledged: there,
    confirming: false,
    held: there ? [] : [variant.name],
    skipped: [],
    silent: [],
    shares: new Map(there ? [[variant.name, { weight: variant.weight, percent: '100%' }]] : []),
  };
}

function planRouter(input: TrafficInput, present: PresentTable): TrafficPlan {
  const { table, held } = nextTable(input, present);
  const serving = input.router.pods.filter(isServing);
  const applied = table && confirmedBy(serving, table, input.router.table);
  const canMove = applied !== undefined && serving.some((pod) => pod.ready);
  const acknowledged = applied !== undefined && held.length === 0;
  return {
    mode: 'HAProxy',
    present,
    ...(table !== undefined && { table }),
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

function effectiveShares(variants: readonly VariantCapacity[], applied: Applied): ReadonlyMap<string, Share> {
  return new Map(
    variants.map(({ name, weight }) => {
      const share = applied.slots.find((slot) => slot.variant === name)?.buckets ?? 0;
      return [name, { weight, percent: `${String(Math.round((share / BUCKETS) * 10_000) / 100)}%` }];
    }),
  );
}
