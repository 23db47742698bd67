import { describe, expect, it } from 'vitest';
import { DesiredArtifact } from '../inference/contract.ts';
import {
  aResource,
  aSpec,
  aWorld,
  carriedOut,
  conditionsOf,
  context,
  edited,
  find,
  KEY,
  NOW,
  resolved,
  settle,
  withVariant,
} from '../test/support/a-plan.ts';
import type { Observed, VariantObserved } from './domain/observed.ts';
import type { Resource } from './domain/resource.ts';
import { plan, type Plan } from './plan.ts';

/** A world in which the store has answered for blue, and nothing runs. */
const found = (overrides: Partial<Observed> = {}): Observed =>
  withBlue(aWorld(overrides), { artifact: resolved('v1') });
const withBlue = (world: Observed, change: Partial<Pick<VariantObserved, 'artifact' | 'pods'>>): Observed =>
  withVariant(world, 'blue', change);
const kinds = (done: Plan) => done.children.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);

function settled(): { readonly resource: Resource; readonly world: Observed; readonly revision: string } {
  const { resource, world } = settle(aResource({ spec: aSpec({ replicas: 1 }) }), found());
  return { resource, world, revision: resource.status?.variants?.[0]?.stable ?? '' };
}

describe('a new resource', () => {
  it('gets its children only when the store has resolved the artifact', () => {
    const waiting = plan(aResource(), withBlue(aWorld(), { artifact: { kind: 'pending' } }), context, NOW);
    expect(kinds(waiting)).toEqual(['Service/retail']);
    expect(waiting.status.phase).toBe('Pending');
    expect(conditionsOf(waiting)).toMatchObject({ Ready: 'False/Pending' });

    const done = plan(aResource(), found(), context, NOW);

    expect(kinds(done)).toEqual([
      'ConfigMap/retail--blue-artifact',
      'Service/retail--blue',
      'PodDisruptionBudget/retail--blue',
      'Deployment/retail--blue',
      'Service/retail',
    ]);
  });

  it('has its pods told of a web server as they are told of S3, and is not durable', () => {
    const store = { kind: 'http', url: 'https://files.example/models' } as const;
    const artifact = { store: 'files', bucket: 'models', key: KEY, etag: '"1"' };
    const seen = withBlue(aWorld(), { artifact: { kind: 'resolved', artifact, listedAt: NOW } });
    const spec = aSpec({ source: { s3: { store: 'files', credentialsSecretRef: { name: 'files-read' } } } });

    const done = plan(aResource({ spec }), seen, { ...context, store: () => store }, NOW);

    const file = find(done, 'ConfigMap', 'retail--blue-artifact')?.['data'] as Record<string, string>;
    expect(DesiredArtifact.parse(JSON.parse(file['artifact.json'] ?? '')).artifact).toMatchObject({
      store,
      etag: '"1"',
    });
    expect(JSON.stringify(find(done, 'Deployment', 'retail--blue'))).toContain('MODEL_STORE_TOKEN');
    expect(conditionsOf(done)).toMatchObject({ ArtifactDurable: 'False/BucketNotVersioned' });
  });

  it('has its admin Secret and revision recorded before status names them', () => {
    const done = plan(aResource(), found({ adminToken: undefined }), context, NOW);
    expect(done.children.records.map(({ kind }) => kind)).toEqual(['Secret', 'ControllerRevision']);
  });

  it('is Ready when its pods report the revision, and says so in the columns', () => {
    const { resource, world } = settled();

    const done = plan(resource, world, context, NOW);

    expect(done.status).toMatchObject({
      phase: 'Healthy',
      summary: { loaded: '1/1', traffic: 'blue=1', url: 'http://retail.ml.svc' },
    });
    expect(conditionsOf(done)).toMatchObject({
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
    const changed = withBlue(world, { artifact: resolved('v2') });

    const done = plan(resource, changed, context, NOW);

    expect(done.reloads).toMatchObject([{ body: { sequence: 2, versionId: 'v2', keep: [revision] } }]);
    const before = plan(resource, world, context, NOW);
    expect(find(done, 'Deployment', 'retail--blue')).toEqual(find(before, 'Deployment', 'retail--blue'));
    expect(JSON.stringify(find(done, 'ConfigMap', 'retail--blue-artifact'))).toContain('v1');
    expect(conditionsOf(done)).toMatchObject({
      Ready: 'False/RolloutInProgress',
      Reconciling: 'True/RolloutInProgress',
    });

    const target = done.status.variants?.[0]?.candidate?.revision;
    const after = plan({ ...resource, status: done.status }, carriedOut(changed, done), context, NOW);
    expect(after.status.variants?.[0]).toMatchObject({ stable: target, previous: revision });
    expect(after.promotions).toMatchObject([{ variant: 'blue', sinceListedMs: 0 }]);
    expect(JSON.stringify(find(after, 'ConfigMap', 'retail--blue-artifact'))).toContain('v2');
  });

  it('that pods refuse leaves Ready true and says why', () => {
    const { resource, world } = settled();
    const changed = withBlue(world, { artifact: resolved('v2') });
    const started = plan(resource, changed, context, NOW);
    const candidate = started.status.variants![0]!.candidate!.revision;
    const [pod] = world.variants.get('blue')!.pods;
    const failure = { reason: 'LoadFailed', message: 'cut short', revision: candidate, sequence: 2 } as const;
    const refused = withBlue(changed, {
      pods: [{ ...pod!, report: { ...pod!.report!, sequence: 2, failure } }],
    });

    const done = plan({ ...resource, status: started.status }, refused, context, NOW);

    expect(conditionsOf(done)).toMatchObject({ Ready: 'True/Ready', UpToDate: 'False/ArtifactRejected' });
    expect(done.status.message).toContain('LoadFailed: cut short');
    expect(done.reloads).toEqual([]);
  });
});

describe('allowSchemaChange', () => {
  const allowed = { replicas: 1, rollout: { hotReload: { allowSchemaChange: true } } };

  it('restarts nothing, and is not part of a revision', () => {
    const { resource, world } = settled();

    const done = plan(edited(resource, allowed), world, context, NOW);

    expect(done.children.objects).toEqual(plan(resource, world, context, NOW).children.objects);
    expect(done.children.records).toEqual([]);
    expect(done.reloads).toEqual([]);
    expect(done.status.variants).toEqual(resource.status?.variants);
  });

  it('goes along with the call to the pods', () => {
    const { resource, world } = settled();
    const changed = withBlue(world, { artifact: resolved('v2') });

    const calls = [resource, edited(resource, allowed)].map((each) => plan(each, changed, context, NOW).reloads);

    expect(calls.flat().map(({ body }) => body.allowSchemaChange)).toEqual([undefined, true]);
  });
});

it('keeps pods through an upgrade of the operator: another default image changes no template', () => {
  const { resource, world } = settled();
  const upgraded = { ...context, images: { ...context.images, inference: 'inference:2' } };
  const changed = withBlue(world, { artifact: resolved('v2') });
  for (const seen of [world, changed]) {
    const done = plan(resource, seen, upgraded, NOW);
    expect(JSON.stringify(done.children.objects)).not.toContain('inference:2');
  }
});

it('keeps serving what is known while the store is out of reach', () => {
  const { resource, world } = settled();
  const down = withBlue(world, { artifact: { kind: 'failed', reason: 'StoreUnreachable', message: 'no answer' } });

  const done = plan(resource, down, context, NOW);

  expect(conditionsOf(done)).toMatchObject({
    Ready: 'True/Ready',
    ArtifactResolved: 'Unknown/StoreUnreachable',
    UpToDate: 'True/UpToDate',
  });
});

it('takes a key that vanished for unfinished until the deadline, then for stalled, and never unloads', () => {
  const { resource, world } = settled();
  const gone = withBlue(world, { artifact: { kind: 'failed', reason: 'NoSuchKey', message: 'no such key' } });

  const first = plan(resource, gone, context, NOW);
  const later = plan({ ...resource, status: first.status }, gone, context, NOW + 600_000);

  expect(conditionsOf(first)).toMatchObject({
    Ready: 'False/NoSuchKey',
    Reconciling: 'True/NoSuchKey',
    Available: 'True/VariantsAvailable',
  });
  expect(conditionsOf(later)).toMatchObject({ Stalled: 'True/NoSuchKey' });
  expect(later.reloads).toEqual([]);
});
