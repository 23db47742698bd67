// Status and deletion reach the object that was meant, never one that took its name.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectWriter } from '../../operator/kube/apply-object.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { FakeApiServer } from '../support/fake-api-server.ts';
import { COLLECTION, PATH, intent, openWriterRig } from '../support/writer-rig.ts';
import type { WriterRig } from '../support/writer-rig.ts';

const { Deployment } = RESOURCES;
const { signal } = new AbortController();

let rig: WriterRig;
let server: FakeApiServer;
let writer: ObjectWriter;

beforeEach(async () => {
  rig = await openWriterRig();
  ({ server } = rig);
  writer = rig.writer();
});
afterEach(() => server.stop());

describe('status', () => {
  it('is applied whole, by its own manager, to that very object', async () => {
    const { object } = await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    const ref = { namespace: 'ml', name: 'web', uid: object.metadata.uid };
    await writer.applyStatus(Deployment, ref, { phase: 'Pending', message: 'x' }, signal);
    const after = await writer.applyStatus(Deployment, ref, { phase: 'Healthy' }, signal);
    expect(after['status']).toEqual({ phase: 'Healthy' });
    expect(after['spec']).toEqual({ replicas: 1 });
    expect(rig.patches().at(-1)).toMatchObject({ path: `${PATH}/status` });
    expect(rig.patches().at(-1)?.query.toString()).toBe('fieldManager=tester-status&force=true');
  });

  it('needs no read when the version is known, and survives somebody else writing all the time', async () => {
    const { object } = await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    const ref = {
      namespace: 'ml',
      name: 'web',
      uid: object.metadata.uid,
      resourceVersion: object.metadata.resourceVersion,
    };
    const before = server.count('GET');
    await writer.applyStatus(Deployment, ref, { phase: 'Pending' }, signal);
    expect(server.count('GET')).toBe(before);

    let edits = 0;
    server.faults.push({
      when: ({ method }) => {
        if (method === 'PATCH' && edits < 3)
          server.store.apply(
            PATH,
            COLLECTION,
            { metadata: { labels: { v: `${(edits += 1)}` } } },
            'kubectl',
            true,
            false,
          );
        return false;
      },
      then: 'reset',
    });
    expect(await writer.applyStatus(Deployment, ref, { phase: 'Healthy' }, signal)).toMatchObject({
      status: { phase: 'Healthy' },
      metadata: { labels: { v: '3' } },
    });
  });

  it('never reaches an object that took the name', async () => {
    const { object } = await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    const ref = {
      namespace: 'ml',
      name: 'web',
      uid: object.metadata.uid,
      resourceVersion: object.metadata.resourceVersion,
    };
    server.store.delete(PATH, {});
    await expect(writer.applyStatus(Deployment, ref, { phase: 'x' }, signal)).rejects.toMatchObject({
      isNotFound: true,
    });
    server.store.create(COLLECTION, { metadata: { name: 'web' } });
    await expect(writer.applyStatus(Deployment, ref, { phase: 'x' }, signal)).rejects.toMatchObject({
      isConflict: true,
    });
    expect(server.store.get(PATH)).not.toHaveProperty('status');
  });
});

describe('delete', () => {
  it('deletes exactly that object', async () => {
    const { object } = await writer.apply(Deployment, intent({}), signal);
    const ref = { namespace: 'ml', name: 'web', uid: object.metadata.uid };
    expect(await writer.delete(Deployment, { ...ref, uid: 'earlier' }, 'Background', signal)).toBe('gone');
    expect(server.store.has(PATH)).toBe(true);
    expect(await writer.delete(Deployment, ref, 'Foreground', signal)).toBe('deleted');
    expect(await writer.delete(Deployment, ref, 'Foreground', signal)).toBe('gone');
    expect(server.requests.at(-1)?.body).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: object.metadata.uid },
      propagationPolicy: 'Foreground',
    });
  });
});
