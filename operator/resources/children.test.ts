import { describe, expect, it } from 'vitest';
import { DesiredArtifact } from '../../inference/contract.ts';
import type { ResolvedArtifact } from '../domain/artifact.ts';
import { variantSelector } from '../domain/labels.ts';
import { buildAdminSecret, parseAdminToken } from './admin-secret.ts';
import { ARTIFACT_FILE, buildArtifactConfigMap, siblingsUrl } from './artifact-config-map.ts';
import { buildControllerRevision, parseControllerRevision } from './controller-revision.ts';
import { buildDeployment } from './deployment.ts';
import { buildDisruptionBudget } from './disruption-budget.ts';
import type { Manifest } from './metadata.ts';
import { buildPodTemplate } from './pod-template.ts';
import { buildService, buildVariantService } from './service.ts';

const owner = { name: 'retail', namespace: 'ml', uid: 'uid-1' };
const artifact: ResolvedArtifact = {
  store: 'minio',
  bucket: 'models',
  key: 'retail/model.tar.gz',
  versionId: 'v1',
  etag: '"e"',
  size: 7,
};
const template = buildPodTemplate({
  inferenceImage: 'switchyard/inference:1',
  modelDeployment: 'retail',
  variant: 'blue',
  image: 'i:1',
  runtime: {},
  store: { forcePathStyle: false },
  bucket: 'models',
});
const revision = {
  owner,
  variant: 'blue',
  revision: 'a1b2c3d4',
  number: 3,
  template,
  artifact,
  runtimeHash: 'ffff0000',
};
const deployment = () =>
  buildDeployment({
    owner,
    variant: 'blue',
    replicas: 2,
    template,
    progressDeadlineMs: 600_000,
    runtimeHash: 'ffff0000',
  });
const configMap = () =>
  buildArtifactConfigMap({
    owner,
    variant: 'blue',
    revision: 'a1b2c3d4',
    sequence: 4,
    artifact,
    store: { endpoint: 'http://minio:9000', forcePathStyle: true },
  });
const settings = { type: 'ClusterIP' as const, port: 80 };

function data(manifest: Manifest): Record<string, string> {
  return manifest['data'] as Record<string, string>;
}

it.each([
  ['Deployment', deployment(), 'retail--blue'],
  ['Service', buildService({ owner, settings, target: { kind: 'router' } }), 'retail'],
  ['Service', buildVariantService(owner, 'blue'), 'retail--blue'],
  ['ConfigMap', configMap(), 'retail--blue-artifact'],
  ['Secret', buildAdminSecret(owner, 'token'), 'retail--admin'],
  ['ControllerRevision', buildControllerRevision(revision), 'retail--blue-a1b2c3d4'],
  ['PodDisruptionBudget', buildDisruptionBudget(owner, 'blue'), 'retail--blue'],
])('%s is named, labelled and owned, so that the garbage collector finds it', (kind, manifest, name) => {
  expect(manifest.kind).toBe(kind);
  expect(manifest.metadata).toMatchObject({
    name,
    namespace: 'ml',
    labels: { 'app.kubernetes.io/managed-by': 'switchyard', 'switchyard.dev/model-deployment': 'retail' },
    ownerReferences: [
      { kind: 'ModelDeployment', name: 'retail', uid: 'uid-1', controller: true, blockOwnerDeletion: true },
    ],
  });
});

describe('the Deployment', () => {
  it('never has fewer pods while they are replaced, and selects the pods of its template', () => {
    const spec = deployment()['spec'];

    expect(spec).toMatchObject({
      replicas: 2,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: variantSelector('retail', 'blue') },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: variantSelector('retail', 'blue') } },
    });
  });

  it('applies the template as it was frozen', () => {
    const stored = parseControllerRevision(JSON.parse(JSON.stringify(buildControllerRevision(revision))));
    const again = buildDeployment({
      owner,
      variant: 'blue',
      replicas: 2,
      template: stored?.template ?? {},
      progressDeadlineMs: 600_000,
      runtimeHash: 'ffff0000',
    });

    expect(JSON.parse(JSON.stringify(again))).toEqual(JSON.parse(JSON.stringify(deployment())));
  });
});

describe('the stable Service', () => {
  it('changes only its selector between router and model pods', () => {
    const router = buildService({ owner, settings, target: { kind: 'router' } });
    const model = buildService({ owner, settings, target: { kind: 'variant', variant: 'blue' } });

    expect({ ...(router['spec'] as object), selector: 0 }).toEqual({ ...(model['spec'] as object), selector: 0 });
    expect(model['spec']).toMatchObject({ selector: variantSelector('retail', 'blue') });
    expect(router['spec']).toMatchObject({ selector: { 'app.kubernetes.io/component': 'router' } });
  });

  it('has the type, port and annotations of the spec', () => {
    const asked = { type: 'LoadBalancer' as const, port: 8000, annotations: { a: 'b' } };
    const service = buildService({ owner, settings: asked, target: { kind: 'router' } });

    expect(service['spec']).toMatchObject({ type: 'LoadBalancer', ports: [{ port: 8000 }] });
    expect(service.metadata.annotations).toEqual({ a: 'b' });
  });
});

describe('the artifact ConfigMap', () => {
  it('is what the model server reads', () => {
    const desired = DesiredArtifact.parse(JSON.parse(data(configMap())[ARTIFACT_FILE] ?? ''));

    expect(desired).toEqual({
      artifact: {
        store: { endpoint: 'http://minio:9000', forcePathStyle: true },
        bucket: 'models',
        key: 'retail/model.tar.gz',
        versionId: 'v1',
        etag: '"e"',
        size: 7,
      },
      sequence: 4,
      siblings: siblingsUrl(owner, 'blue'),
      modelDeployment: 'retail',
      variant: 'blue',
      revision: 'a1b2c3d4',
    });
    expect(desired.siblings).toBe('http://retail--blue.ml.svc:8081');
  });

  it('is byte for byte the same for the same artifact', () => {
    expect(data(configMap())).toEqual(data(configMap()));
  });
});

describe('the ControllerRevision', () => {
  it('gives back what was put into it', () => {
    const stored = parseControllerRevision(JSON.parse(JSON.stringify(buildControllerRevision(revision))));

    expect(stored).toEqual({
      name: 'a1b2c3d4',
      variant: 'blue',
      number: 3,
      runtimeHash: 'ffff0000',
      artifact,
      template: JSON.parse(JSON.stringify(template)) as unknown,
    });
  });

  it.each([
    ['one of a StatefulSet', { metadata: { labels: {} }, revision: 1, data: {} }],
    ['nothing', undefined],
  ])('does not read %s', (_what, object) => {
    expect(parseControllerRevision(object)).toBeUndefined();
  });
});

it('the token survives the way through the Secret', () => {
  const secret = buildAdminSecret(owner, 'abc-_123');

  expect(parseAdminToken(data(secret))).toBe('abc-_123');
  expect(parseAdminToken({})).toBeUndefined();
  expect(parseAdminToken(undefined)).toBeUndefined();
});

it('the budget lets one pod go at a time, and always one that is not ready', () => {
  expect(buildDisruptionBudget(owner, 'blue')['spec']).toMatchObject({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: variantSelector('retail', 'blue') },
  });
});
