// Guarded server-side apply against the fake API server.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectWriter, ObjectWriterOptions } from '../../operator/kube/apply-object.ts';
import { createObjectWriter } from '../../operator/kube/apply-object.ts';
import { NameConflictError, NotLeadingError } from '../../operator/kube/errors.ts';
import type { KubeObject, StoredObject } from '../../operator/kube/objects.ts';
import { parseStored } from '../../operator/kube/objects.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';

const COLLECTION = '/apis/apps/v1/namespaces/ml/deployments';
const PATH = `${COLLECTION}/web`;
const { Deployment } = RESOURCES;
const { signal } = new AbortController();

let server: FakeApiServer;
let writer: ObjectWriter;
let written: string[];

function aWriter(options: Partial<ObjectWriterOptions> = {}): ObjectWriter {
  return createObjectWriter({
    client: server.client(new FakeClock()),
    fieldManager: 'tester',
    statusManager: 'tester-status',
    assertLeading: () => undefined,
    onWritten: (type, { metadata }) => written.push(`${type.kind} ${metadata.name}`),
    ...options,
  });
}

function controlledBy(uid: string): KubeObject['metadata']['ownerReferences'] {
  return [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, controller: true, blockOwnerDeletion: true }];
}

function intent(spec: Record<string, unknown>, owner = 'owner-1'): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'ml', ownerReferences: controlledBy(owner) ?? [] },
    spec,
  };
}

function cachedFromServer(): StoredObject | undefined {
  return server.store.has(PATH) ? parseStored(structuredClone(server.store.get(PATH)), Deployment) : undefined;
}

const patches = () => server.requests.filter(({ method }) => method === 'PATCH');

beforeEach(async () => {
  server = await FakeApiServer.start();
  written = [];
  writer = aWriter();
});

afterEach(() => server.stop());

describe('apply', () => {
  it('reads, then creates by apply without force', async () => {
    const { outcome, object } = await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    expect(outcome).toBe('created');
    expect(object.metadata).not.toHaveProperty('managedFields');
    expect(server.requests.map(({ method, path, query }) => `${method} ${path} ${query.toString()}`)).toEqual([
      `GET ${PATH} `,
      `PATCH ${PATH} fieldManager=tester&force=false`,
    ]);
    expect(written).toEqual(['Deployment web']);
  });

  it('names the uid in every later call, and takes away what is no longer meant', async () => {
    await writer.apply(Deployment, intent({ replicas: 1, paused: true }), signal);
    const { outcome, object } = await writer.apply(Deployment, intent({ replicas: 2 }), signal);
    expect(outcome).toBe('updated');
    expect(object['spec']).toEqual({ replicas: 2 });
    expect(patches()[1]?.body['metadata']).toMatchObject({ uid: object.metadata.uid });
    expect(patches()[1]?.query.get('force')).toBe('true');
  });

  it('says "unchanged" when the server kept the version', async () => {
    await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    expect(await aWriter().apply(Deployment, intent({ replicas: 1 }), signal)).toMatchObject({ outcome: 'unchanged' });
  });

  it('never touches an object of somebody else', async () => {
    server.store.create(COLLECTION, {
      metadata: { name: 'web', ownerReferences: controlledBy('other') },
      spec: { replicas: 9 },
    });
    const failed = writer.apply(Deployment, intent({ replicas: 1 }), signal);
    await expect(failed).rejects.toBeInstanceOf(NameConflictError);
    await expect(failed).rejects.toMatchObject({ kind: 'Deployment', object: { namespace: 'ml', name: 'web' } });
    expect(patches()).toEqual([]);
  });

  it('never touches an object that nobody controls, even one that only just appeared', async () => {
    const client = server.client(new FakeClock());
    const racing = aWriter({
      client: {
        ...client,
        stream: () => {
          throw new Error('not used');
        },
        async request(method, path, options) {
          const raced = method === 'PATCH' && !server.store.has(PATH);
          if (raced) server.store.create(COLLECTION, { metadata: { name: 'web' }, spec: { replicas: 9 } });
          return client.request(method, path, options);
        },
      },
    });
    await expect(racing.apply(Deployment, intent({ replicas: 1 }), signal)).rejects.toBeInstanceOf(NameConflictError);
    expect(server.store.get(PATH)['spec']).toEqual({ replicas: 9 });
  });

  it('fails with a conflict when the cached object was replaced by another one', async () => {
    await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    const stale = cachedFromServer();
    server.store.delete(PATH, {});
    server.store.create(COLLECTION, { metadata: { name: 'web' }, spec: { replicas: 9 } });
    const failed = aWriter({ cached: () => stale }).apply(Deployment, intent({ replicas: 2 }), signal);
    await expect(failed).rejects.toMatchObject({ isConflict: true, isTransient: true });
    expect(server.store.get(PATH)['spec']).toEqual({ replicas: 9 });
  });

  it('asks the server before it calls the name taken: the cache may be behind', async () => {
    server.store.create(COLLECTION, { metadata: { name: 'web' } });
    const stale = cachedFromServer();
    server.store.delete(PATH, {});
    await expect(aWriter({ cached: () => stale }).apply(Deployment, intent({}), signal)).resolves.toMatchObject({
      outcome: 'created',
    });
  });

  it('takes a field that the schema does not have for a fault of the object, not of the moment', async () => {
    const failed = writer.apply(Deployment, intent({ noSuchField: 1 }), signal);
    await expect(failed).rejects.toMatchObject({ status: 500, isTransient: false });
    expect(patches()).toHaveLength(1);
  });

  it('refuses an intent without a controller', async () => {
    const { metadata, ...rest } = intent({});
    const orphan = {
      ...rest,
      metadata: { name: metadata.name, namespace: 'ml' },
      apiVersion: 'apps/v1',
      kind: 'Deployment',
    };
    await expect(writer.apply(Deployment, orphan, signal)).rejects.toBeInstanceOf(TypeError);
  });

  it('is not sent when we may not write', async () => {
    const mute = aWriter({
      assertLeading: () => {
        throw new NotLeadingError('paused');
      },
    });
    const ref = { namespace: 'ml', name: 'web', uid: 'u' };
    await expect(mute.apply(Deployment, intent({}), signal)).rejects.toBeInstanceOf(NotLeadingError);
    await expect(mute.applyStatus(Deployment, { ...ref, resourceVersion: '1' }, {}, signal)).rejects.toBeInstanceOf(
      NotLeadingError,
    );
    await expect(mute.delete(Deployment, ref, 'Background', signal)).rejects.toBeInstanceOf(NotLeadingError);
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });
});

describe('an intent that was applied before', () => {
  beforeEach(async () => {
    writer = aWriter({ cached: cachedFromServer });
    await writer.apply(Deployment, intent({ replicas: 1, template: { a: [{ b: 1 }] } }), signal);
    server.requests.length = 0;
  });

  it('is not sent again, however its keys are ordered', async () => {
    const again = intent({ template: { a: [{ b: 1 }] }, replicas: 1 });
    expect(await writer.apply(Deployment, again, signal)).toMatchObject({ outcome: 'skipped' });
    expect(server.requests).toEqual([]);
  });

  it('is not sent again because others wrote what we do not mean', async () => {
    server.store.apply(PATH, COLLECTION, { status: { readyReplicas: 1 } }, 'controller', true, true);
    server.store.apply(PATH, COLLECTION, { metadata: { annotations: { revision: '1' } } }, 'controller', true, false);
    expect(await writer.apply(Deployment, intent({ replicas: 1, template: { a: [{ b: 1 }] } }), signal)).toMatchObject({
      outcome: 'skipped',
    });
  });

  it('is sent again when somebody changed what we mean', async () => {
    server.store.apply(PATH, COLLECTION, { spec: { template: { a: [{ b: 2 }] } } }, 'kubectl', true, false);
    const { outcome, object } = await writer.apply(
      Deployment,
      intent({ replicas: 1, template: { a: [{ b: 1 }] } }),
      signal,
    );
    expect(outcome).toBe('updated');
    expect(object['spec']).toEqual({ replicas: 1, template: { a: [{ b: 1 }] } });
  });

  it('is sent again when somebody added to a list that is ours', async () => {
    server.store.apply(PATH, COLLECTION, { spec: { template: { a: [{ b: 1 }, { b: 2 }] } } }, 'kubectl', true, false);
    const { outcome } = await writer.apply(Deployment, intent({ replicas: 1, template: { a: [{ b: 1 }] } }), signal);
    expect(outcome).toBe('updated');
  });

  it('is not remembered of an object that was deleted, though the cache has yet to hear of that', async () => {
    const before = cachedFromServer();
    writer = aWriter({ cached: () => before });
    await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    expect(await writer.apply(Deployment, intent({ replicas: 1 }), signal)).toMatchObject({ outcome: 'skipped' });

    await writer.delete(
      Deployment,
      { namespace: 'ml', name: 'web', uid: before?.metadata.uid ?? '' },
      'Background',
      signal,
    );
    server.requests.length = 0;

    await expect(writer.apply(Deployment, intent({ replicas: 1 }), signal)).rejects.toMatchObject({ isConflict: true });
    expect(patches()).toHaveLength(1);
  });

  it('is sent again when the object is another one, or when its owner was forgotten', async () => {
    server.store.delete(PATH, {});
    expect(await writer.apply(Deployment, intent({ replicas: 1, template: { a: [{ b: 1 }] } }), signal)).toMatchObject({
      outcome: 'created',
    });
    writer.forgetOwner('owner-1');
    expect(await writer.apply(Deployment, intent({ replicas: 1, template: { a: [{ b: 1 }] } }), signal)).toMatchObject({
      outcome: 'unchanged',
    });
  });
});

describe('status', () => {
  it('is applied whole, by its own manager, to that very object', async () => {
    const { object } = await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    const ref = { namespace: 'ml', name: 'web', uid: object.metadata.uid };
    await writer.applyStatus(Deployment, ref, { phase: 'Pending', message: 'x' }, signal);
    const after = await writer.applyStatus(Deployment, ref, { phase: 'Healthy' }, signal);
    expect(after['status']).toEqual({ phase: 'Healthy' });
    expect(after['spec']).toEqual({ replicas: 1 });
    expect(patches().at(-1)).toMatchObject({ path: `${PATH}/status` });
    expect(patches().at(-1)?.query.toString()).toBe('fieldManager=tester-status&force=true');
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
