// A resource and the world that its plans are carried out in, for tests that go through several passes.
import { parseControllerRevision } from '../../operator/resources/controller-revision.ts';
import { RUNTIME_HASH } from '../../operator/resources/deployment.ts';
import type { Manifest } from '../../operator/resources/metadata.ts';
import { Spec } from '../../operator/domain/model-deployment.ts';
import type { ArtifactState, Observed, PodObserved, StoredRevision } from '../../operator/domain/observed.ts';
import type { PlanContext, Resource } from '../../operator/domain/resource.ts';
import type { VariantStatus } from '../../operator/domain/status.ts';
import { plan, type Plan } from '../../operator/plan.ts';
import { checksumOf } from '../../router/checksum.ts';
import { TABLE_KEY, RouterTable } from '../../router/contract.ts';
import { aPod, aReport } from './a-variant.ts';

export const NOW = Date.parse('2026-01-01T00:00:00Z');
export const KEY = 'a/model.tar.gz';
export const context: PlanContext = {
  images: { inference: 'inference:1', router: 'haproxy:1', operator: 'operator:1' },
  store: () => ({ forcePathStyle: false }),
  defaultBucket: 'models',
  defaultRegion: undefined,
  newToken: 'token',
};

export function aSpec(overrides: object = {}): Spec {
  return Spec.parse({ variants: [{ name: 'blue', weight: 1, model: { key: KEY } }], replicas: 2, ...overrides });
}

export function aResource(overrides: Partial<Resource> = {}): Resource {
  const base = { name: 'retail', namespace: 'ml', uid: '11111111-2222', generation: 1, spec: aSpec() };
  return { ...base, status: undefined, ...overrides };
}

export function resolved(versionId: string, more: object = {}): ArtifactState {
  const artifact = { store: 'aws', bucket: 'models', key: KEY, versionId, ...more };
  return { kind: 'resolved', artifact, listedAt: NOW };
}

export function aWorld(overrides: Partial<Observed> = {}): Observed {
  const base = { variants: new Map(), leaving: new Map(), revisions: new Map(), router: { pods: [] }, drained: false };
  return { ...base, adminToken: 'token', obstacles: [], ...overrides };
}

/** Equal variants of the same key. */
export function variantsOf(...names: readonly string[]): readonly object[] {
  return names.map((name) => ({ name, weight: 1, model: { key: KEY } }));
}

/** The store has answered for these variants, and nothing runs. */
export function worldOf(...names: readonly string[]): Observed {
  return aWorld({ variants: new Map(names.map((name) => [name, { artifact: resolved('v1'), pods: [] }])) });
}

/** Somebody has changed the spec. */
export function edited(resource: Resource, spec: object): Resource {
  return { ...resource, generation: resource.generation + 1, spec: aSpec(spec) };
}

/** The revision that the variant at that place serves. */
export function stableOf({ status }: Pick<Resource, 'status'>, at = 0): string {
  return status?.variants?.[at]?.stable ?? '';
}

/** The world with something else said of one variant. */
export function withVariant(
  world: Observed,
  name: string,
  change: { readonly artifact?: ArtifactState; readonly pods?: readonly PodObserved[] },
): Observed {
  const before = world.variants.get(name) ?? { artifact: { kind: 'pending' }, pods: [] };
  return { ...world, variants: new Map([...world.variants, [name, { ...before, ...change }]]) };
}

export function find(done: Plan, kind: string, name: string): Manifest | undefined {
  return done.children.objects.find((object) => object.kind === kind && object.metadata.name === name);
}

/** What `world` is when the plan was carried out: records and Deployments exist, every pod serves what it should, two routers confirm the table. */
export function carriedOut(world: Observed, done: Plan): Observed {
  const fresh = done.children.records.flatMap((record) => parseControllerRevision(record) ?? []);
  const revisions = new Map<string, StoredRevision>([
    ...world.revisions,
    ...fresh.map((revision) => [revision.name, revision] as const),
  ]);
  const rows = done.status.variants ?? [];
  const variants = new Map(
    rows.map((row) => {
      const deployment = find(done, 'Deployment', `retail--${row.name}`);
      const runtimeHash = deployment?.metadata.annotations?.[RUNTIME_HASH];
      const workload = { replicas: row.replicas, ready: row.replicas, rolledOut: true, runtimeHash };
      const artifact = world.variants.get(row.name)?.artifact ?? ({ kind: 'pending' } as const);
      return [row.name, { artifact, pods: podsOf(row), ...(deployment !== undefined && { workload }) }] as const;
    }),
  );
  return { ...world, revisions, variants, ...trafficAfter(done) };
}

function podsOf({ name, stable, candidate, sequence, replicas }: VariantStatus): readonly PodObserved[] {
  const revision = candidate?.revision ?? stable;
  return Array.from({ length: revision === undefined ? 0 : replicas }, (_, at) =>
    aPod(`${name}-${at}`, revision, { report: aReport(revision, { sequence }) }),
  );
}

function trafficAfter(done: Plan): Pick<Observed, 'router' | 'service'> {
  const service = find(done, 'Service', 'retail')?.['spec'] as { selector: Record<string, string> } | undefined;
  const variant = service?.selector['switchyard.dev/variant'];
  const target = variant === undefined ? ({ kind: 'router' } as const) : ({ kind: 'variant', variant } as const);
  const config = find(done, 'ConfigMap', 'retail--router')?.['data'] as Record<string, string> | undefined;
  if (config === undefined) return { service: target, router: { pods: [] } };
  const table = RouterTable.parse(JSON.parse(config[TABLE_KEY] ?? ''));
  return { service: target, router: { table, pods: [routerPod('r1', table), routerPod('r2', table)] } };
}

function routerPod(name: string, table: RouterTable): Observed['router']['pods'][number] {
  const buckets = (slot: number) =>
    table.ranges.filter((range) => range.slot === slot).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const slots = table.slots.map(({ slot, variant }) => ({
    slot,
    variant,
    servers: 2,
    buckets: buckets(slot),
    skipped: false,
  }));
  return {
    name,
    uid: `uid-${name}`,
    ready: true,
    terminating: false,
    applied: { generation: table.generation, checksum: checksumOf(table), slots },
  };
}

/** Passes until nothing changes any more. */
export function settle(resource: Resource, world: Observed, now = NOW): { resource: Resource; world: Observed } {
  let [at, seen] = [resource, world];
  for (let pass = 0; pass < 8; pass += 1) {
    const done = plan(at, seen, context, now);
    at = { ...at, status: done.status };
    seen = carriedOut(seen, done);
  }
  return { resource: at, world: seen };
}

export function blueAtRest(): { readonly resource: Resource; readonly world: Observed } {
  return settle(aResource(), worldOf('blue'));
}

export function conditionsOf(done: Plan): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (done.status.conditions ?? []).map(({ type, status, reason }) => [type, `${status}/${reason}`]),
  );
}
