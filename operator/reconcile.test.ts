import { beforeEach, describe, expect, it } from 'vitest';
import { fakeWorld, nameConflict, put, quotaExceeded, stored, type World } from '../test/support/fake-deps.ts';
import { KubeError } from './kube/errors.ts';
import { reconcile } from './reconcile.ts';

const signal = new AbortController().signal;
const spec = { variants: [{ name: 'blue', weight: 1, model: { key: 'k' } }], replicas: 1 };
const owner = [
  {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'ModelDeployment',
    name: 'retail',
    uid: 'uid-ModelDeployment-retail',
    controller: true,
  },
];
const pass = (world: World) => reconcile(world.deps, 'ml/retail', signal);
let world: World;

/** A ready model pod of blue that serves a revision called `old`. */
function putOldPod(): void {
  const labels = {
    'switchyard.dev/model-deployment': 'retail',
    'app.kubernetes.io/component': 'model',
    'switchyard.dev/variant': 'blue',
  };
  const status = { podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: 'True' }] };
  put(world.caches.pods, stored('Pod', 'p', { status }, { labels }));
  const artifact = { revision: 'old', version: '0', sha256: 'a'.repeat(64) };
  const nothing = { version: '0', model_type: null, features: [], metrics: {}, loaded_at: null };
  world.info = { kind: 'info', info: { ...nothing, artifact, variant: 'blue', sequence: 1 } };
}

beforeEach(() => {
  world = fakeWorld();
  put(world.caches.resources, stored('ModelDeployment', 'retail', { spec }));
});

it('records the revision, then writes the status that names it, then makes the children', async () => {
  await pass(world);

  const order = world.calls.filter((call) => !call.startsWith('event'));
  expect(order[0]).toMatch(/^apply ControllerRevision\/retail--blue-[0-9a-f]{8}$/);
  expect(order.slice(1)).toEqual([
    'status Progressing',
    'apply ConfigMap/retail--blue-artifact',
    'apply Service/retail--blue',
    'apply PodDisruptionBudget/retail--blue',
    'apply Deployment/retail--blue',
    'apply Service/retail',
  ]);
  expect(world.calls).toContain('event RevisionSelected');
});

it('makes the admin Secret when there is none', async () => {
  world.token = undefined;
  await pass(world);
  expect(world.calls[0]).toBe('apply Secret/retail--admin');
});

it('makes a deleted admin Secret again with the token that running pods have', async () => {
  await pass(world);
  world.token = undefined;
  await pass(world);
  expect(world.secret).toEqual({ token: btoa('token') });
});

it('looks again soon when it made the Secret anew: pods may have been started with another token', async () => {
  putOldPod();
  world.token = undefined;
  expect(await pass(world)).toBe('failed');
});

it('does not name a revision in status that could not be recorded', async () => {
  world.refused.set('ControllerRevision', quotaExceeded());
  expect(await pass(world)).toBe('now');
  expect(world.calls).toEqual(['status Degraded', 'event QuotaExceeded']);
  expect(world.written).not.toHaveProperty('variants');
  expect(world.written?.message).toContain('exceeded quota');
});

it('does not take the admin Secret of somebody else', async () => {
  world.tokenOwner = 'another';
  await pass(world);
  expect(world.calls[0]).toBe('apply Secret/retail--admin');
});

describe('a child that the API server will not have', () => {
  it('is reported, and does not keep the others from being made', async () => {
    world.refused.set('PodDisruptionBudget', nameConflict('PodDisruptionBudget', 'retail--blue'));

    expect(await pass(world)).toBe('now');
    expect(world.calls).toContain('apply Deployment/retail--blue');
    expect(world.deps.memory.obstacles('ml/retail')).toMatchObject([{ reason: 'NameConflict' }]);

    expect(await pass(world)).toBe('failed');
    world.refused.clear();
    expect(await pass(world)).toBe('now');
    expect(world.deps.memory.obstacles('ml/retail')).toEqual([]);
  });

  it('for the moment only is an error of the pass, which is tried again', async () => {
    world.refused.set('Deployment', new KubeError({ status: 503, reason: 'ServiceUnavailable', message: '' }));
    await expect(pass(world)).rejects.toThrow(KubeError);
  });
});

it('deletes a child that is no longer wanted, and only if it is ours', async () => {
  put(world.deps.caches.Deployment as never, stored('Deployment', 'retail--gone', {}, { ownerReferences: owner }));
  put(
    world.deps.caches.Deployment as never,
    stored('Deployment', 'stranger', {}, { ownerReferences: [{ ...owner[0], uid: 'other' }] }),
  );

  await pass(world);

  expect(world.calls.filter((call) => call.startsWith('delete'))).toEqual(['delete Deployment/retail--gone']);
});

it('asks a pod that serves something else to reload, and looks again at once when it moved', async () => {
  await pass(world);
  const revision = world.deps.caches.ControllerRevision.byOwner('uid-ModelDeployment-retail')[0]?.revision?.name ?? '';
  const status = {
    variants: [{ name: 'blue', stable: revision, sequence: 1 }],
    revisions: [{ name: revision, key: 'k', version: '1' }],
  };
  put(world.caches.resources, stored('ModelDeployment', 'retail', { spec, status }, { resourceVersion: '2' }));
  putOldPod();
  world.reload = { kind: 'loaded' };

  expect(await pass(world)).toBe('now');
  expect(world.calls).toContain(`reload 10.0.0.7 ${revision}`);

  world.reload = { kind: 'unreachable', message: 'no answer' };
  expect(await pass(world)).toBe('failed');
  world.reload = { kind: 'loading' };
  expect(await pass(world)).toEqual({ afterMs: 250 });
  world.reload = { kind: 'stale', reason: 'StaleSequence', message: 'is loading another version' };
  expect(await pass(world)).toEqual({ afterMs: 250 });
});

it('remembers what a pod was told, unless the pod cannot have heard it', async () => {
  putOldPod();
  const told = async () =>
    [...(await world.deps.reports.collect('ml/retail', world.deps.caches.pods.values(), 't', signal)).values()][0]
      ?.told;

  world.reload = { kind: 'unreachable', message: 'ECONNREFUSED', isRefused: true };
  await pass(world);
  expect(await told()).toBeUndefined();

  world.reload = { kind: 'unreachable', message: 'ECONNRESET' };
  await pass(world);
  expect(await told()).toBeDefined();
});

it('asks a ready pod that did not answer again, and misses no deadline by that', async () => {
  const labels = {
    'switchyard.dev/model-deployment': 'retail',
    'app.kubernetes.io/component': 'model',
    'switchyard.dev/variant': 'blue',
  };
  const status = { podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: 'True' }] };
  put(world.caches.pods, stored('Pod', 'p', { status }, { labels }));

  expect(await pass(world)).toBe('failed');

  world.resolution = { kind: 'failed', reason: 'NoSuchKey', message: 'no such key', since: 0 };
  expect(await pass(world)).toEqual({ afterMs: 600_000, failed: true });
});

describe('a status that the API server refuses', () => {
  const invalid = new KubeError({ status: 422, reason: 'Invalid', message: 'status.phase: Unsupported value' });

  it('does not keep the children from being made, is told by an event, and tried again after a while', async () => {
    world.refused.set('ModelDeployment', invalid);

    expect(await pass(world)).toEqual({ afterMs: 300_000 });

    expect(world.calls).toContain('apply Deployment/retail--blue');
    expect(world.calls.filter((call) => call.startsWith('event'))).toEqual(['event StatusRefused']);
  });

  it('tells pods nothing: what they answer would be forgotten, and asked for again for ever', async () => {
    putOldPod();
    world.reload = { kind: 'refused', reason: 'LoadFailed', message: 'cut short' };
    await pass(world);
    expect(world.calls.filter((call) => call.startsWith('reload'))).toHaveLength(1);

    world.refused.set('ModelDeployment', invalid);
    world.calls.length = 0;
    await pass(world);
    expect(world.calls.filter((call) => call.startsWith('reload'))).toEqual([]);
  });

  it('for another reason is an error of the pass', async () => {
    world.refused.set('ModelDeployment', new KubeError({ status: 403, reason: 'Forbidden', message: 'no' }));
    await expect(pass(world)).rejects.toThrow('no');
  });
});

it('deletes a router that has never answered, tells of it once, and not the next one at once', async () => {
  const routed = { ...spec, traffic: { router: 'HAProxy' } };
  put(world.caches.resources, stored('ModelDeployment', 'retail', { spec: routed }, { resourceVersion: '2' }));
  const labels = { 'switchyard.dev/model-deployment': 'retail', 'app.kubernetes.io/component': 'router' };
  const status = { podIP: '10.0.0.8', conditions: [{ type: 'Ready', status: 'True' }] };
  put(world.caches.pods, stored('Pod', 'mute', { status }, { labels }));
  const deleted = () => world.calls.filter((call) => call === 'delete Pod/mute' || call === 'event RouterReplaced');

  await pass(world);
  world.clock.freeze(119_999);
  await pass(world);
  expect(deleted()).toEqual([]);

  world.clock.freeze(1);
  await pass(world);
  await pass(world);
  expect(deleted()).toEqual(['delete Pod/mute', 'event RouterReplaced']);
});

it('says in status what of a stored spec does not fit the schema, and touches nothing', async () => {
  put(
    world.caches.resources,
    stored('ModelDeployment', 'retail', { spec: { variants: [] } }, { resourceVersion: '2' }),
  );
  expect(await pass(world)).toBe('idle');
  expect(world.calls.filter((call) => !call.startsWith('event'))).toEqual(['status Degraded']);
});

it('asks the store at once when the reload annotation gets another value, and only then', async () => {
  const annotated = (value: string, resourceVersion: string) =>
    put(
      world.caches.resources,
      stored(
        'ModelDeployment',
        'retail',
        { spec },
        { resourceVersion, annotations: { 'switchyard.dev/reload': value } },
      ),
    );
  const pokes = () => world.calls.filter((call) => call === 'poke').length;

  await pass(world);
  annotated('1', '2');
  await pass(world);
  await pass(world);
  expect(pokes()).toBe(1);

  annotated('2', '3');
  await pass(world);
  expect(pokes()).toBe(2);
});

it('forgets all of the former resource when a new one has its name, though nobody saw it gone', async () => {
  await pass(world);
  world.calls.length = 0;
  put(world.caches.resources, stored('ModelDeployment', 'retail', { spec }, { resourceVersion: '2', uid: 'another' }));
  world.token = undefined;

  await pass(world);

  expect(world.calls).toContain('forget uid-ModelDeployment-retail');
  expect(world.secret).toEqual({ token: btoa('new-token') });
});

it('lets go of a resource that is gone or being deleted', async () => {
  put(
    world.caches.resources,
    stored('ModelDeployment', 'retail', { spec }, { resourceVersion: '2', deletionTimestamp: '2026-01-01T00:00:00Z' }),
  );
  expect(await pass(world)).toBe('idle');
  expect(world.calls).toEqual(['want nothing']);
});
