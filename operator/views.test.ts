import { describe, expect, it } from 'vitest';
import type { StoredObject } from './kube/objects.ts';
import { deploymentView, podView, resourceView, serviceView, tableView } from './views.ts';

/** An object as the API server sends it; what a test does not name is absent. */
function anObject(fields: Readonly<Record<string, unknown>>, metadata: Partial<StoredObject['metadata']> = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Any',
    metadata: { namespace: 'ml', name: 'a', uid: 'u', resourceVersion: '1', ...metadata },
    ...fields,
  };
}

const ready = { type: 'Ready', status: 'True' };
const killed = { reason: 'OOMKilled', exitCode: 137, containerID: 'c1', finishedAt: '2026-01-01T00:00:00Z' };
const crashed = { reason: 'Error', exitCode: 139, containerID: 'c2', finishedAt: '2026-01-01T00:00:09Z' };
const waiting = (reason: string) => ({ restartCount: 0, state: { waiting: { reason, message: 'm' } } });

describe('a pod', () => {
  it.each([
    ['new', {}, { ready: false, restarts: 0 }],
    ['ready', { podIP: '10.0.0.1', conditions: [ready] }, { ip: '10.0.0.1', ready: true, restarts: 0 }],
    ['not ready', { conditions: [{ ...ready, status: 'False' }] }, { ready: false, restarts: 0 }],
    [
      'killed for memory',
      { containerStatuses: [{ restartCount: 2, lastState: { terminated: killed } }, { restartCount: 1 }] },
      { ready: false, restarts: 3, crash: { id: 'c1', reason: 'OOMKilled', exitCode: 137 } },
    ],
    [
      'that crashed again and is not restarted yet',
      { containerStatuses: [{ restartCount: 1, lastState: { terminated: killed }, state: { terminated: crashed } }] },
      { ready: false, restarts: 1, crash: { id: 'c2', reason: 'Error', exitCode: 139 } },
    ],
    [
      'without an image',
      { containerStatuses: [waiting('ContainerCreating'), waiting('ImagePullBackOff')] },
      { ready: false, restarts: 0, problem: 'ImagePullBackOff: m' },
    ],
    [
      'whose adapter has no image, and whose server waits for it',
      {
        initContainerStatuses: [waiting('ErrImagePull')],
        containerStatuses: [waiting('PodInitializing')],
      },
      { ready: false, restarts: 0, problem: 'ErrImagePull: m' },
    ],
    [
      'whose adapter has ended and started again: asked anew, and the model is not to blame',
      {
        initContainerStatuses: [{ restartCount: 1, lastState: { terminated: killed } }],
        containerStatuses: [{ restartCount: 1 }],
      },
      { ready: false, restarts: 2 },
    ],
    ['starting', { containerStatuses: [waiting('ContainerCreating')] }, { ready: false, restarts: 0 }],
    [
      'that fits on no node',
      { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes' }] },
      { ready: false, restarts: 0, problem: '0/1 nodes' },
    ],
  ])('%s', (_what, status, expected) => {
    const { namespace, name, uid, resourceVersion, owner, labels, terminating, ...seen } = podView(
      anObject({ status }),
    );
    expect({ namespace, name, uid, resourceVersion }).toEqual({
      namespace: 'ml',
      name: 'a',
      uid: 'u',
      resourceVersion: '1',
    });
    expect({ owner, labels, terminating }).toEqual({ owner: undefined, labels: {}, terminating: false });
    expect(seen).toEqual(expected);
  });

  it('is terminating once it has a time of deletion', () => {
    expect(podView(anObject({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })).terminating).toBe(true);
  });
});

describe('a Deployment is rolled out', () => {
  const done = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3 };
  it.each([
    ['when every pod has the last template', 3, done, true],
    ['not before its controller has seen the last generation', 3, { ...done, observedGeneration: 1 }, false],
    ['not while a pod of an older template is left', 3, { ...done, updatedReplicas: 2 }, false],
    ['not before it has pods', 3, { observedGeneration: 2 }, false],
    ['when it is to have no pods', 0, { observedGeneration: 2 }, true],
  ])('%s', (_what, replicas, status, rolledOut) => {
    const view = deploymentView(anObject({ spec: { replicas }, status }, { generation: 2 }));
    expect(view).toMatchObject({ replicas, rolledOut });
  });

  it('and has the stamp of the admin token in its template, if any', () => {
    const annotations = { 'switchyard.dev/admin-token-stamp': 'ab' };
    const spec = { template: { metadata: { annotations } } };
    expect(deploymentView(anObject({ spec })).tokenStamp).toBe('ab');
    expect(deploymentView(anObject({ spec: { template: { metadata: {} } } }))).not.toHaveProperty('tokenStamp');
  });

  it('and says why its pods are not made', () => {
    const failure = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' };
    expect(deploymentView(anObject({ status: { conditions: [failure] } })).problem).toBe('exceeded quota');
  });
});

it.each([
  ['a variant', { 'switchyard.dev/variant': 'blue' }, { kind: 'variant', variant: 'blue' }],
  ['the routers', { 'app.kubernetes.io/component': 'router' }, { kind: 'router' }],
  ['something else', { app: 'x' }, undefined],
])('a Service sends to %s by its selector', (_what, selector, target) => {
  expect(serviceView(anObject({ spec: { selector } })).target).toEqual(target);
});

describe('the table of a ConfigMap', () => {
  const table = {
    generation: 1,
    slots: [{ slot: 0, variant: 'blue', service: 's' }],
    ranges: [{ from: 0, to: 9999, slot: 0 }],
  };
  it.each([
    ['is read', { 'table.json': JSON.stringify(table) }, table],
    ['is absent when it was cut short', { 'table.json': JSON.stringify(table).slice(0, -1) }, undefined],
    [
      'is absent when it has holes',
      { 'table.json': JSON.stringify({ ...table, ranges: [{ from: 1, to: 9999, slot: 0 }] }) },
      undefined,
    ],
    ['is absent when it does not fit', { 'table.json': JSON.stringify({ ...table, generation: 0 }) }, undefined],
    ['is absent in another ConfigMap', { other: 'x' }, undefined],
  ])('%s', (_what, data, expected) => {
    expect(tableView(anObject({ data })).table).toEqual(expected);
  });
});

describe('a resource', () => {
  const spec = { variants: [{ name: 'blue', weight: 1, model: { key: 'k' } }] };

  it('has spec and status with their defaults', () => {
    const view = resourceView(anObject({ spec }, { generation: 3, annotations: { 'switchyard.dev/reload': 'now' } }));
    expect(view).toMatchObject({
      generation: 3,
      reload: 'now',
      spec: { suspend: false },
      status: { phase: 'Pending' },
    });
    expect(view).not.toHaveProperty('invalid');
  });

  it('that does not fit the schema says where, and has no spec', () => {
    const view = resourceView(anObject({ spec: { variants: [{ ...spec.variants[0], model: { key: '' } }] } }));
    expect(view).not.toHaveProperty('spec');
    expect(view.invalid).toMatch(/^spec\.variants\.0\.model\.key: ./);
  });
});
