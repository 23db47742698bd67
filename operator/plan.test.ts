import { describe, expect, it } from 'vitest';
import { checksumOf } from '../router/checksum.ts';
import { aReport } from '../test/support/a-variant.ts';
import { Spec } from './domain/model-deployment.ts';
import type { Observed, PodObserved, VariantObserved } from './domain/observed.ts';
import type { Status } from './domain/status.ts';
import type { PlanContext, Resource } from './domain/resource.ts';
import { plan, type Plan } from './plan.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const context: PlanContext = {
  images: { inference: 'inference:1', router: 'haproxy:1', operator: 'operator:1' },
  store: () => ({ forcePathStyle: false }),
  defaultBucket: 'models',
  defaultRegion: undefined,
  newToken: 'token',
};
const aSpec = (overrides: object = {}): Spec =>
  Spec.parse({ variants: [{ name: 'blue', weight: 1, model: { key: 'a/model.tar.gz' } }], replicas: 1, ...overrides });
const aResource = (overrides: Partial<Resource> = {}): Resource => ({
  name: 'retail',
  namespace: 'ml',
  uid: '11111111-2222',
  generation: 1,
  spec: aSpec(),
  status: undefined,
  ...overrides,
});
const artifact = (versionId: string) =>
  ({
    kind: 'resolved',
    artifact: { store: 'aws', bucket: 'models', key: 'a/model.tar.gz', versionId },
    listedAt: NOW,
  }) as const;
const observed = (variant: Partial<VariantObserved> = {}, overrides: Partial<Observed> = {}): Observed => ({
  variants: new Map([['blue', { artifact: artifact('v1'), pods: [], ...variant }]]),
  leaving: new Map(),
  revisions: new Map(),
  router: { pods: [] },
  drained: false,
  adminToken: 'token',
  obstacles: [],
  ...overrides,
});

/** The world after a plan was carried out: what was stored exists, pods serve what they were told. */
function carriedOut(before: Observed, done: Plan, versionId: string, revision: string | undefined): Observed {
  const stored = done.children.records.filter(({ kind }) => kind === 'ControllerRevision');
  const revisions = new Map(before.revisions);
  for (const { metadata, data, revision: number } of stored) {
    const name = metadata.labels['switchyard.dev/revision'] ?? '';
    revisions.set(name, {
      name,
      variant: 'blue',
      number: Number(number),
      ...(data as { runtimeHash: string; artifact: never; template: object }),
    } as never);
  }
  const runtimeHash = [...revisions.values()].at(-1)?.runtimeHash;
  const report = aReport(revision, { sequence: done.status.variants?.[0]?.sequence ?? 0 });
  const pod: PodObserved = {
    name: 'p',
    uid: 'p',
    ip: '10.0.0.1',
    ready: revision !== undefined,
    terminating: false,
    restarts: 0,
    report,
  };
  const workload = { replicas: 1, ready: 1, rolledOut: true, runtimeHash };
  return observed(
    { artifact: artifact(versionId), pods: [pod], workload },
    { revisions, service: { kind: 'variant', variant: 'blue' } },
  );
}

const conditions = (status: Status) =>
  Object.fromEntries((status.conditions ?? []).map(({ type, status: value, reason }) => [type, `${value}/${reason}`]));
const kinds = (done: Plan) => done.children.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);

function settled(): { resource: Resource; world: Observed; revision: string } {
  const first = plan(aResource(), observed(), context, NOW);
  const revision = first.status.variants?.[0]?.stable ?? '';
  const world = carriedOut(observed(), first, 'v1', revision);
  const second = plan(aResource({ status: first.status }), world, context, NOW);
  return { resource: aResource({ status: second.status }), world, revision };
}

describe('a new resource', () => {
  it('gets its children only when the store has resolved the artifact', () => {
    const waiting = plan(aResource(), observed({ artifact: { kind: 'pending' } }), context, NOW);
    expect(kinds(waiting)).toEqual(['Service/retail']);
    expect(waiting.status.phase).toBe('Pending');
    expect(conditions(waiting.status)).toMatchObject({ Ready: 'False/Pending' });

    const done = plan(aResource(), observed(), context, NOW);

    expect(kinds(done)).toEqual([
      'ConfigMap/retail--blue-artifact',
      'Service/retail--blue',
      'PodDisruptionBudget/retail--blue',
      'Deployment/retail--blue',
      'Service/retail',
    ]);
  });

  it('has its admin Secret and revision recorded before status names them', () => {
    const done = plan(aResource(), observed({}, { adminToken: undefined }), context, NOW);
    expect(done.children.records.map(({ kind }) => kind)).toEqual(['Secret', 'ControllerRevision']);
  });

  it('is Ready when its pods report the revision, and says so in the columns', () => {
    const { resource } = settled();
    expect(resource.status).toMatchObject({
      phase: 'Healthy',
      summary: { loaded: '1/1', traffic: 'blue=1', url: 'http://retail.ml.svc' },
    });
    expect(conditions(resource.status!)).toMatchObject({
      Ready: 'True/Ready',
      UpToDate: 'True/UpToDate',
      ModelLoaded: 'True/Loaded',
      ArtifactDurable: 'True/Versioned',
    });
  });

  it('then rests: the same world gives the same status and nothing to do', () => {
    const { resource, world } = settled();

    const again = plan(resource, world, context, NOW + 60_000);

    expect(again.status).toEqual(resource.status);
    expect(again).toMatchObject({ reloads: [], drain: undefined, requeueAfterMs: undefined });
    expect(again.children.records).toEqual([]);
  });
});

describe('an upload', () => {
  it('is reloaded in the pods; the pod template and the pin stay until it is promoted', () => {
    const { resource, world, revision } = settled();
    const changed = {
      ...world,
      variants: new Map([['blue', { ...world.variants.get('blue')!, artifact: artifact('v2') }]]),
    };

    const done = plan(resource, changed, context, NOW);

    expect(done.reloads).toMatchObject([{ body: { sequence: 2, versionId: 'v2', keep: [revision] } }]);
    const before = plan(resource, world, context, NOW).children.objects;
    const object = (list: readonly { kind: string; metadata: { name: string } }[], kind: string) =>
      list.find((each) => each.kind === kind);
    expect(object(done.children.objects, 'Deployment')).toEqual(object(before, 'Deployment'));
    expect(JSON.stringify(object(done.children.objects, 'ConfigMap'))).toContain('v1');
    expect(conditions(done.status)).toMatchObject({
      Ready: 'False/RolloutInProgress',
      Reconciling: 'True/RolloutInProgress',
    });

    const target = done.status.variants?.[0]?.candidate?.revision;
    const after = plan({ ...resource, status: done.status }, carriedOut(changed, done, 'v2', target), context, NOW);
    expect(after.status.variants?.[0]).toMatchObject({ stable: target, previous: revision });
    expect(after.promotions).toMatchObject([{ variant: 'blue', sinceListedMs: 0 }]);
    expect(JSON.stringify(object(after.children.objects, 'ConfigMap'))).toContain('v2');
  });

  it('that pods refuse leaves Ready true and says why', () => {
    const { resource, world } = settled();
    const changed = {
      ...world,
      variants: new Map([['blue', { ...world.variants.get('blue')!, artifact: artifact('v2') }]]),
    };
    const started = plan(resource, changed, context, NOW);
    const candidate = started.status.variants![0]!.candidate!.revision;
    const seen = carriedOut(changed, started, 'v2', resource.status?.variants?.[0]?.stable);
    const pod = seen.variants.get('blue')!.pods[0]!;
    const failure = { reason: 'LoadFailed', message: 'cut short', revision: candidate, sequence: 2 } as const;
    const refused = {
      ...seen,
      variants: new Map([
        ['blue', { ...seen.variants.get('blue')!, pods: [{ ...pod, report: { ...pod.report!, failure } }] }],
      ]),
    };

    const done = plan({ ...resource, status: started.status }, refused, context, NOW);

    expect(conditions(done.status)).toMatchObject({ Ready: 'True/Ready', UpToDate: 'False/ArtifactRejected' });
    expect(done.status.message).toContain('LoadFailed: cut short');
    expect(done.reloads).toEqual([]);
  });
});

it('keeps pods through an upgrade of the operator: another default image changes no template', () => {
  const { resource, world } = settled();
  const upgraded = { ...context, images: { ...context.images, inference: 'inference:2' } };
  const changed = {
    ...world,
    variants: new Map([['blue', { ...world.variants.get('blue')!, artifact: artifact('v2') }]]),
  };
  for (const seen of [world, changed]) {
    const done = plan(resource, seen, upgraded, NOW);
    expect(JSON.stringify(done.children.objects)).not.toContain('inference:2');
  }
});

it('keeps serving what is known while the store is out of reach', () => {
  const { resource, world } = settled();
  const down = {
    ...world,
    variants: new Map([
      [
        'blue',
        {
          ...world.variants.get('blue')!,
          artifact: { kind: 'failed', reason: 'StoreUnreachable', message: 'no answer' } as const,
        },
      ],
    ]),
  };

  const done = plan(resource, down, context, NOW);

  expect(conditions(done.status)).toMatchObject({
    Ready: 'True/Ready',
    ArtifactResolved: 'Unknown/StoreUnreachable',
    UpToDate: 'True/UpToDate',
  });
});

it('takes a key that vanished for unfinished until the deadline, then for stalled, and never unloads', () => {
  const { resource, world } = settled();
  const gone = {
    ...world,
    variants: new Map([
      [
        'blue',
        {
          ...world.variants.get('blue')!,
          artifact: { kind: 'failed', reason: 'NoSuchKey', message: 'no such key' } as const,
        },
      ],
    ]),
  };

  const first = plan(resource, gone, context, NOW);
  const later = plan({ ...resource, status: first.status }, gone, context, NOW + 600_000);

  expect(conditions(first.status)).toMatchObject({
    Ready: 'False/NoSuchKey',
    Reconciling: 'True/NoSuchKey',
    Available: 'True/VariantsAvailable',
  });
  expect(conditions(later.status)).toMatchObject({ Stalled: 'True/NoSuchKey' });
  expect(later.reloads).toEqual([]);
});

it('removes a variant only after every router has confirmed that it gets nothing', () => {
  const two = aSpec({
    variants: ['blue', 'green'].map((name) => ({ name, weight: 1, model: { key: 'a/model.tar.gz' } })),
  });
  const table = plan(aResource({ spec: two }), observed(), context, NOW).children.objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'retail--router',
  );
  const present = JSON.parse((table as unknown as { data: Record<string, string> }).data['table.json']!) as never;
  const spec = aSpec({ traffic: { router: 'HAProxy' } });

  const done = plan(
    aResource({ spec }),
    observed({}, { router: { table: present, pods: [] }, service: { kind: 'router' } }),
    context,
    NOW,
  );

  expect(done.children.keeps('Deployment', 'retail--green')).toBe(true);
  expect(done.children.keeps('Deployment', 'retail--red')).toBe(false);
});

it('drains the model pods when the Service turns to the routers', () => {
  const spec = aSpec({ traffic: { router: 'HAProxy' } });
  const start = plan(
    aResource({ spec }),
    observed({}, { service: { kind: 'variant', variant: 'blue' } }),
    context,
    NOW,
  );
  expect(start.drain).toBeUndefined();
  const data = start.children.objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'retail--router',
  ) as unknown as { data: Record<string, string> };
  const table = JSON.parse(data.data['table.json']!) as { generation: number };
  const pod = {
    name: 'r',
    uid: 'u',
    ready: true,
    terminating: false,
    applied: { generation: table.generation, checksum: checksumOf(table as never), slots: [] },
  };
  const seen = observed(
    {},
    { service: { kind: 'variant', variant: 'blue' }, router: { table: table as never, pods: [pod] } },
  );

  const flip = plan(aResource({ spec, status: start.status }), seen, context, NOW);

  expect(flip.status.draining?.until).toBe('2026-01-01T00:02:00.000Z');
  expect(
    plan(
      aResource({ spec, status: flip.status }),
      { ...seen, service: { kind: 'router' }, drained: true },
      context,
      NOW,
    ).status.draining,
  ).toBeUndefined();
});
