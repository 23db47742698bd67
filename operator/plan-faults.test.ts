// What a plan must not do when things happen at the wrong moment: an operator that has just started, edits in the middle, variants that come and go.
import { describe, expect, it } from 'vitest';
import {
  aResource,
  aSpec,
  aWorld,
  carriedOut,
  conditionsOf,
  context,
  find,
  KEY,
  NOW,
  resolved,
  settle,
  withVariant,
} from '../test/support/a-plan.ts';
import { aPod, aReport } from '../test/support/a-variant.ts';
import type { Observed } from './domain/observed.ts';
import type { Resource } from './domain/resource.ts';
import { plan } from './plan.ts';

const variants = (...names: readonly string[]) => names.map((name) => ({ name, weight: 1, model: { key: KEY } }));
const worldOf = (...names: readonly string[]): Observed =>
  aWorld({ variants: new Map(names.map((name) => [name, { artifact: resolved('v1'), pods: [] }])) });
const blueAtRest = () => settle(aResource(), worldOf('blue'));
const edited = (resource: Resource, spec: object): Resource => ({
  ...resource,
  generation: resource.generation + 1,
  spec: aSpec(spec),
});
const pods = (names: readonly string[], revision: string | undefined, overrides: object = {}) =>
  names.map((name) => aPod(name, revision, { report: aReport(revision, overrides) }));
const stableOf = ({ status }: Pick<Resource, 'status'>, at = 0) => status?.variants?.[at]?.stable ?? '';

describe('two variants of the same key', () => {
  it('have a revision each, so that each runs from a template of its own', () => {
    const first = plan(
      aResource({ spec: aSpec({ variants: variants('blue', 'green') }) }),
      worldOf('blue', 'green'),
      context,
      NOW,
    );

    expect(stableOf(first, 0)).not.toBe(stableOf(first, 1));
    for (const name of ['blue', 'green'])
      expect(find(first, 'Deployment', `retail--${name}`)).toMatchObject({
        spec: { template: { metadata: { labels: { 'switchyard.dev/variant': name } } } },
      });
  });

  it('does not inherit the template of a variant that was renamed', () => {
    const { resource, world } = blueAtRest();
    const seen = withVariant(world, 'azure', { artifact: resolved('v1'), pods: [] });

    const done = plan(edited(resource, { variants: variants('azure') }), seen, context, NOW);

    expect(find(done, 'Deployment', 'retail--azure')).toMatchObject({
      spec: { template: { metadata: { labels: { 'switchyard.dev/variant': 'azure' } } } },
    });
  });
});

describe('an operator that has just started and has not heard from the store', () => {
  const silent = (world: Observed) => withVariant(world, 'blue', { artifact: { kind: 'pending' } });

  it('writes nothing and changes nothing at rest', () => {
    const { resource, world } = blueAtRest();
    const done = plan(resource, silent(world), context, NOW + 60_000);
    expect(done.status).toEqual(resource.status);
  });

  it('does not take back pods in the middle of a wave', () => {
    const { resource, world } = blueAtRest();
    const uploaded = withVariant(world, 'blue', { artifact: resolved('v2') });
    const started = plan(resource, uploaded, context, NOW);
    const { revision } = started.status.variants![0]!.candidate!;
    const half = [...pods(['a'], revision, { sequence: 2 }), ...pods(['b'], stableOf(resource))];
    const seen = withVariant(carriedOut(uploaded, started), 'blue', { artifact: { kind: 'pending' }, pods: half });

    const done = plan({ ...resource, status: started.status }, seen, context, NOW);

    expect(done.status.variants?.[0]?.candidate?.revision).toBe(revision);
    expect(done.reloads).toEqual([]);
    const down = { kind: 'failed', reason: 'StoreUnreachable', message: 'no answer' } as const;
    const later = plan(
      { ...resource, status: done.status },
      withVariant(seen, 'blue', { artifact: down }),
      context,
      NOW,
    );
    expect(later.status.variants?.[0]?.candidate?.revision).toBe(revision);
  });

  it('goes on counting how long a key has been missing', () => {
    const { resource, world } = blueAtRest();
    const gone = { kind: 'failed', reason: 'NoSuchKey', message: 'no such key' } as const;
    const missing = plan(resource, withVariant(world, 'blue', { artifact: gone }), context, NOW);
    const restarted = plan({ ...resource, status: missing.status }, silent(world), context, NOW + 300_000);

    const late = plan(
      { ...resource, status: restarted.status },
      withVariant(world, 'blue', { artifact: gone }),
      context,
      NOW + 600_000,
    );

    expect(conditionsOf(late)).toMatchObject({ Stalled: 'True/NoSuchKey' });
  });

  it('starts no pods of a runtime whose artifact was refused', () => {
    const { resource, world } = blueAtRest();
    const change = edited(resource, { runtime: { image: 'server:2' } });
    const uploaded = withVariant(world, 'blue', { artifact: resolved('v2') });
    const started = plan(change, uploaded, context, NOW);
    const { revision } = started.status.variants![0]!.candidate!;
    const failure = { reason: 'LoadFailed', message: 'cut short', revision, sequence: 2 } as const;
    const refused = withVariant(carriedOut(uploaded, started), 'blue', {
      pods: pods(['a'], stableOf(resource), { failure, sequence: 2 }),
    });
    const rejected = plan({ ...change, status: started.status }, refused, context, NOW);
    expect(rejected.status.variants?.[0]?.candidate).toBeUndefined();

    const done = plan({ ...change, status: rejected.status }, silent(refused), context, NOW);

    expect(done.status).toEqual(rejected.status);
  });
});

describe('a change of the runtime while the store holds an upload that was refused', () => {
  const failing = (revision: string, sequence: number) => ({
    failure: { reason: 'LoadFailed', message: 'cut short', revision, sequence } as const,
    sequence,
  });

  it('reaches the pods with the promoted bytes, and the upload is tried by one pod afterwards', () => {
    const { resource, world } = blueAtRest();
    const uploaded = withVariant(world, 'blue', { artifact: resolved('v2') });
    const started = plan(resource, uploaded, context, NOW);
    const refusing = pods(['a'], stableOf(resource), failing(started.status.variants![0]!.candidate!.revision, 2));
    const rejected = plan(
      { ...resource, status: started.status },
      withVariant(carriedOut(uploaded, started), 'blue', { pods: refusing }),
      context,
      NOW,
    );
    const rested = { ...resource, status: rejected.status };
    const more = edited(rested, { runtime: { resources: { limits: { memory: '1Gi' } } } });

    const moved = plan(
      more,
      withVariant(carriedOut(uploaded, rejected), 'blue', { pods: pods(['a'], stableOf(rested), { sequence: 3 }) }),
      context,
      NOW,
    );

    const { revision } = moved.status.variants![0]!.candidate!;
    const record = moved.children.records.find(({ kind }) => kind === 'ControllerRevision');
    expect(JSON.stringify(record)).toContain('"versionId":"v1"');
    expect(JSON.stringify(find(moved, 'Deployment', 'retail--blue'))).toContain('1Gi');
    expect(conditionsOf(moved)).not.toHaveProperty('Stalled');

    const promoted = plan(
      { ...more, status: moved.status },
      carriedOut(carriedOut(uploaded, rejected), moved),
      context,
      NOW,
    );
    expect(promoted.status.variants?.[0]?.stable).toBe(revision);
  });
});

it('never takes the stable bytes for ones that a pin does not allow, though the store is silent', () => {
  const { resource, world } = blueAtRest();
  const sha256 = 'b'.repeat(64);
  const pinned = edited(resource, { variants: [{ name: 'blue', weight: 1, model: { key: KEY, sha256 } }] });
  const down = { kind: 'failed', reason: 'StoreUnreachable', message: 'no answer' } as const;

  const done = plan(pinned, withVariant(world, 'blue', { artifact: down }), context, NOW);

  expect(done.children.records).toEqual([]);
  expect(done.status.variants?.[0]?.candidate).toBeUndefined();
});

it('moves in waves from a first version that a pod has loaded, though status does not say so yet', () => {
  const world = worldOf('blue');
  const first = plan(aResource(), world, context, NOW);
  const seen = withVariant(carriedOut(world, first), 'blue', { artifact: resolved('v2') });

  const done = plan(aResource({ status: first.status }), seen, context, NOW);

  expect(stableOf(done)).toBe(stableOf(first));
  expect(done.reloads).toHaveLength(1);
});

describe('variants that come and go', () => {
  const two = () =>
    settle(aResource({ spec: aSpec({ variants: variants('blue', 'green') }) }), worldOf('blue', 'green'));

  it('keeps the pods behind the routers until the Service has left them', () => {
    const { resource, world } = two();
    const change = edited(resource, { variants: variants('azure') });
    const seen = withVariant(world, 'azure', { artifact: resolved('v1'), pods: [] });

    const done = plan(change, seen, context, NOW);

    expect(find(done, 'Service', 'retail')).toMatchObject({
      spec: { selector: { 'app.kubernetes.io/component': 'router' } },
    });
    for (const name of ['blue', 'green']) expect(done.children.keeps('Deployment', `retail--${name}`)).toBe(true);
    const after = settle(change, seen);
    const last = plan(after.resource, after.world, context, NOW);
    expect(find(last, 'Service', 'retail')).toMatchObject({
      spec: { selector: { 'switchyard.dev/variant': 'azure' } },
    });
    for (const name of ['blue', 'green', 'router'])
      expect(last.children.keeps('Deployment', `retail--${name}`)).toBe(false);
  });

  it('keeps their pods although the table is lost: by the one that the routers apply, and whatever it is while none has said so', () => {
    const { resource, world } = two();
    const change = edited(resource, { variants: variants('blue'), traffic: { router: 'HAProxy' } });
    const { table, pods: routers } = world.router;
    const told = routers.map((pod) => ({ ...pod, applied: { ...pod.applied!, table } }));
    const silent = routers.map(({ applied, ...pod }) => ({
      ...pod,
      silence: { ms: applied!.generation, hasAnswered: true },
    }));

    const lost = plan(change, { ...world, router: { pods: told } }, context, NOW);
    const unknown = plan(change, { ...world, router: { pods: silent } }, context, NOW);

    for (const done of [lost, unknown]) expect(done.children.keeps('Deployment', 'retail--green')).toBe(true);
    expect(find(unknown, 'ConfigMap', 'retail--router')).toBeUndefined();
    expect(unknown).toMatchObject({ isConfirming: true, requeueAfterMs: 250 });
  });

  it('keeps no history of a variant that is gone', () => {
    const { resource, world } = two();
    const change = edited(resource, { variants: variants('blue') });
    const revision = stableOf(resource, 1);
    expect(plan(resource, world, context, NOW).children.keeps('ControllerRevision', `retail--green-${revision}`)).toBe(
      true,
    );

    const after = settle(change, world);

    const last = plan(after.resource, after.world, context, NOW);
    expect(last.children.keeps('ControllerRevision', `retail--green-${revision}`)).toBe(false);
    expect(last.children.keeps('ControllerRevision', `retail--blue-${stableOf(resource)}`)).toBe(true);
  });

  it('removes no pod that has traffic before the routers have confirmed the weights', () => {
    const { resource, world } = two();
    const spec = {
      variants: [
        { ...variants('blue')[0], weight: 1 },
        { ...variants('green')[0], weight: 0, replicas: 0 },
      ],
    };
    const change = edited(resource, spec);

    const first = plan(change, world, context, NOW);
    expect(find(first, 'Deployment', 'retail--green')).toMatchObject({ spec: { replicas: 2 } });

    const done = plan({ ...change, status: first.status }, carriedOut(world, first), context, NOW);
    expect(find(done, 'Deployment', 'retail--green')).toMatchObject({ spec: { replicas: 0 } });
  });
});

describe('a router that does not confirm the table', () => {
  const routed = () => {
    const { resource, world } = blueAtRest();
    return settle(edited(resource, { traffic: { router: 'HAProxy' } }), world);
  };
  const mute = (world: Observed, ms: number, waitedMs = ms): Observed => {
    const [first, second] = world.router.pods;
    const { applied, ...silent } = first!;
    expect(applied).toBeDefined();
    const pods = [{ ...silent, silence: { ms, hasAnswered: true } }, second!];
    return { ...world, drained: true, router: { ...world.router, pods, waitedMs } };
  };

  it('is looked for ever more slowly', () => {
    const { resource, world } = routed();
    expect(plan(resource, mute(world, 0), context, NOW).requeueAfterMs).toBe(250);
    expect(plan(resource, mute(world, 60_000), context, NOW)).toMatchObject({
      requeueAfterMs: 5000,
      muteRouter: undefined,
    });
  });

  it('is replaced at last, and status says what is going on', () => {
    const { resource, world } = routed();
    const done = plan(resource, mute(world, 120_000), context, NOW);
    expect(done.muteRouter?.name).toBe('r1');
    expect(conditionsOf(done)).toMatchObject({ TrafficApplied: 'False/WaitingForRouters' });
  });

  it('is not replaced once nothing waits for it', () => {
    const { resource, world } = routed();
    const back = edited(resource, { traffic: { router: 'Service' } });
    expect(plan(back, mute(world, 120_000), context, NOW).muteRouter).toBeUndefined();
  });
});

describe('pods that were started with another admin token', () => {
  const stampOf = (done: ReturnType<typeof plan>) =>
    (
      find(done, 'Deployment', 'retail--blue')!['spec'] as {
        template: { metadata: { labels: object; annotations?: Record<string, string> } };
      }
    ).template.metadata;
  const refusing = (world: Observed): Observed =>
    withVariant(world, 'blue', {
      pods: ['a', 'b'].map((name) => {
        const { report, ...mute } = aPod(name, 'r');
        return { ...mute, ready: report !== undefined, refusesToken: true };
      }),
    });

  it('are replaced by a stamp of the present one, which is not the token and stays', () => {
    const { resource, world } = blueAtRest();
    expect(stampOf(plan(resource, world, context, NOW)).annotations).toBeUndefined();

    const done = plan(resource, refusing(world), context, NOW);

    const { labels, annotations = {} } = stampOf(done);
    const [stamp = ''] = Object.values(annotations);
    expect(stamp).toMatch(/^[0-9a-f]{8}$/);
    expect(labels).toMatchObject({ 'switchyard.dev/variant': 'blue' });
    expect(done.isUnheard).toBe(true);
    const { workload } = world.variants.get('blue')!;
    const stampedWorld = (adminToken: string | undefined): Observed => ({
      ...world,
      adminToken,
      variants: new Map([['blue', { ...world.variants.get('blue')!, workload: { ...workload!, tokenStamp: stamp } }]]),
    });
    const later = (adminToken: string | undefined) => stampOf(plan(resource, stampedWorld(adminToken), context, NOW));
    expect(later('token').annotations).toEqual(annotations);
    expect(later(undefined).annotations).toEqual(annotations);
    expect(later('another').annotations).not.toEqual(annotations);
  });

  it('are said to be replaced', () => {
    const { resource, world } = blueAtRest();
    const done = plan(resource, refusing(world), context, NOW);
    expect(done.status.message).toContain('pods were started with another admin token: they are replaced');
  });
});

it('starts pods on the candidate when it is in another bucket: a pod can only ever read the bucket that it was started with', () => {
  const { resource, world } = blueAtRest();
  const change = edited(resource, { source: { s3: { bucket: 'other' } } });
  const moved = withVariant(world, 'blue', { artifact: resolved('w1', { bucket: 'other' }) });
  const file = (done: ReturnType<typeof plan>) => JSON.stringify(find(done, 'ConfigMap', 'retail--blue-artifact'));

  const started = plan(change, moved, context, NOW);

  const { revision } = started.status.variants![0]!.candidate!;
  expect(file(started)).toContain(revision);
  expect(file(plan(resource, withVariant(world, 'blue', { artifact: resolved('v2') }), context, NOW))).toContain(
    stableOf(resource),
  );
  expect(stableOf(settle(change, moved).resource)).toBe(revision);
});

it('counts the time of a drain from its first attempt, though the Service takes several', () => {
  const { resource, world } = blueAtRest();
  const routed = settle(edited(resource, { traffic: { router: 'HAProxy' } }), world);
  const notYet = { ...routed.world, service: { kind: 'variant', variant: 'blue' } } as const;

  const first = plan(routed.resource, notYet, context, NOW);
  const second = plan({ ...routed.resource, status: first.status }, notYet, context, NOW + 1000);

  expect(first.status.draining?.until).toBe('2026-01-01T00:02:00.000Z');
  expect(second.status).toEqual(first.status);
});

it('takes what the pods serve for stable when status was lost, and tries a newer version as any other', () => {
  const { resource, world } = blueAtRest();
  const uploaded = withVariant(world, 'blue', { artifact: resolved('v2') });

  const done = plan({ ...resource, status: undefined }, uploaded, context, NOW);

  expect(stableOf(done)).toBe(stableOf(resource));
  expect(done.status.variants?.[0]?.candidate).toBeDefined();
  expect(done.reloads).toHaveLength(1);
});
