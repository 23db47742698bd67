// What a plan must not do when things happen at the wrong moment: an operator that has just started, edits in the middle, variants that come and go.
import { describe, expect, it } from 'vitest';
import {
  aResource,
  aSpec,
  blueAtRest,
  carriedOut,
  conditionsOf,
  context,
  edited,
  find,
  KEY,
  NOW,
  resolved,
  settle,
  stableOf,
  variantsOf,
  withVariant,
  worldOf,
} from '../test/support/a-plan.ts';
import { aPod, aReport } from '../test/support/a-variant.ts';
import type { Observed } from './domain/observed.ts';
import { plan } from './plan.ts';

const pods = (names: readonly string[], revision: string | undefined, overrides: object = {}) =>
  names.map((name) => aPod(name, revision, { report: aReport(revision, overrides) }));

describe('two variants of the same key', () => {
  it('have a revision each, so that each runs from a template of its own', () => {
    const first = plan(
      aResource({ spec: aSpec({ variants: variantsOf('blue', 'green') }) }),
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

    const done = plan(edited(resource, { variants: variantsOf('azure') }), seen, context, NOW);

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

it('takes what the pods serve for stable when status was lost, and tries a newer version as any other', () => {
  const { resource, world } = blueAtRest();
  const uploaded = withVariant(world, 'blue', { artifact: resolved('v2') });

  const done = plan({ ...resource, status: undefined }, uploaded, context, NOW);

  expect(stableOf(done)).toBe(stableOf(resource));
  expect(done.status.variants?.[0]?.candidate).toBeDefined();
  expect(done.reloads).toHaveLength(1);
});
