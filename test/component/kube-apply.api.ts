// Guarded server-side apply on a real API server.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ObjectWriter } from '../../operator/kube/apply-object.ts';
import { createObjectWriter } from '../../operator/kube/apply-object.ts';
import { NameConflictError } from '../../operator/kube/errors.ts';
import type { KubeObject, StoredObject } from '../../operator/kube/objects.ts';
import { pathOf } from '../../operator/kube/resources.ts';
import type { KubeRig } from '../support/kube-rig.ts';
import { ConfigMap, startKubeRig, WIDGET } from '../support/kube-rig.ts';

let rig: KubeRig;
let owner: StoredObject;
let writer: ObjectWriter;

beforeAll(async () => {
  rig = await startKubeRig();
  owner = await rig.create(ConfigMap, 'owner');
  writer = aWriter();
});

afterAll(() => rig.transport.close());

function aWriter(cached?: StoredObject): ObjectWriter {
  return createObjectWriter({
    client: rig.client,
    fieldManager: 'edge',
    statusManager: 'edge-status',
    assertLeading: () => undefined,
    ...(cached && { cached: () => cached }),
  });
}

function intent(name: string, spec: Record<string, unknown>): KubeObject {
  const { name: ownerName, uid } = owner.metadata;
  const reference = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: ownerName,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const metadata = { name, namespace: rig.namespace, ownerReferences: [reference] };
  return { apiVersion: 'test.example/v1', kind: 'Widget', metadata, spec };
}

const apply = (by: ObjectWriter, name: string, spec: Record<string, unknown>) =>
  by.apply(WIDGET, intent(name, spec), rig.signal);
const read = (name: string) =>
  rig.client.request('GET', pathOf(WIDGET, { namespace: rig.namespace, name }), { signal: rig.signal });

it('creates, changes, removes what is no longer meant, and keeps the version when nothing changes', async () => {
  expect((await apply(writer, 'mine', { size: 1, text: 'x' })).outcome).toBe('created');
  const { object, outcome } = await apply(writer, 'mine', { size: 2 });
  expect(outcome).toBe('updated');
  expect(object['spec']).toEqual({ size: 2 });
  writer.forgetOwner(owner.metadata.uid);
  expect((await apply(writer, 'mine', { size: 2 })).outcome).toBe('unchanged');
  expect((await apply(writer, 'mine', { size: 2 })).outcome).toBe('skipped');
});

it('leaves a foreign object alone', async () => {
  const { metadata } = await rig.create(WIDGET, 'foreign', { spec: { text: 'theirs' } });
  await expect(apply(writer, 'foreign', { size: 1 })).rejects.toBeInstanceOf(NameConflictError);
  expect(await read('foreign')).toMatchObject({ metadata: { resourceVersion: metadata.resourceVersion } });
});

it('does not reach an object that took the name of the one it saw', async () => {
  const { object } = await apply(writer, 'replaced', { size: 1 });
  const ref = { namespace: rig.namespace, name: 'replaced', uid: object.metadata.uid };
  expect(await writer.delete(WIDGET, ref, 'Background', rig.signal)).toBe('deleted');
  const stale = aWriter(object);
  await expect(apply(stale, 'replaced', { size: 2 })).rejects.toMatchObject({ isConflict: true, isTransient: true });

  await rig.create(WIDGET, 'replaced', { spec: { text: 'theirs' } });
  await expect(apply(stale, 'replaced', { size: 2 })).rejects.toMatchObject({ isConflict: true, isTransient: true });
  expect(await stale.delete(WIDGET, ref, 'Background', rig.signal)).toBe('gone');
  expect(await read('replaced')).toMatchObject({ spec: { text: 'theirs' } });
});

it('of an unknown field is refused for good', async () => {
  await expect(apply(writer, 'odd', { noSuchField: 1 })).rejects.toMatchObject({ isTransient: false });
});

it('replaces the whole status of that very object', async () => {
  const { object } = await apply(writer, 'status', { size: 1 });
  const ref = { namespace: rig.namespace, name: 'status', uid: object.metadata.uid };
  await writer.applyStatus(WIDGET, ref, { phase: 'Pending', message: 'x' }, rig.signal);
  const after = await writer.applyStatus(WIDGET, ref, { phase: 'Healthy' }, rig.signal);
  expect(after).toMatchObject({ status: { phase: 'Healthy' }, spec: { size: 1 } });
  expect(after['status']).not.toHaveProperty('message');

  const other = { ...ref, uid: owner.metadata.uid };
  await expect(writer.applyStatus(WIDGET, other, { phase: 'x' }, rig.signal)).rejects.toMatchObject({
    isConflict: true,
  });
  const gone = { ...ref, name: 'never-was' };
  await expect(writer.applyStatus(WIDGET, gone, { phase: 'x' }, rig.signal)).rejects.toMatchObject({
    isNotFound: true,
  });
});
