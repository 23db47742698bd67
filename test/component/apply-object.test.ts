// Guarded server-side apply against the fake API server.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectWriter } from '../../operator/kube/apply-object.ts';
import { NameConflictError, NotLeadingError } from '../../operator/kube/errors.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { COLLECTION, PATH, controlledBy, intent, openWriterRig } from '../support/writer-rig.ts';
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

describe('apply', () => {
  it('reads, then creates by apply without force', async () => {
    const { outcome, object } = await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    expect(outcome).toBe('created');
    expect(object.metadata).not.toHaveProperty('managedFields');
    expect(server.requests.map(({ method, path, query }) => `${method} ${path} ${query.toString()}`)).toEqual([
      `GET ${PATH} `,
      `PATCH ${PATH} fieldManager=tester&force=false`,
    ]);
    expect(rig.written).toEqual(['Deployment web']);
  });

  it('names the uid in every later call, and takes away what is no longer meant', async () => {
    await writer.apply(Deployment, intent({ replicas: 1, paused: true }), signal);
    const { outcome, object } = await writer.apply(Deployment, intent({ replicas: 2 }), signal);
    expect(outcome).toBe('updated');
    expect(object['spec']).toEqual({ replicas: 2 });
    expect(rig.patches()[1]?.body['metadata']).toMatchObject({ uid: object.metadata.uid });
    expect(rig.patches()[1]?.query.get('force')).toBe('true');
  });

  it('says "unchanged" when the server kept the version', async () => {
    await writer.apply(Deployment, intent({ replicas: 1 }), signal);
    expect(await rig.writer().apply(Deployment, intent({ replicas: 1 }), signal)).toMatchObject({
      outcome: 'unchanged',
    });
  });

  it('never touches an object of somebody else', async () => {
    server.store.create(COLLECTION, {
      metadata: { name: 'web', ownerReferences: controlledBy('other') },
      spec: { replicas: 9 },
    });
    const failed = writer.apply(Deployment, intent({ replicas: 1 }), signal);
    await expect(failed).rejects.toBeInstanceOf(NameConflictError);
    await expect(failed).rejects.toMatchObject({ kind: 'Deployment', object: { namespace: 'ml', name: 'web' } });
    expect(rig.patches()).toEqual([]);
  });

  it('never touches an object that nobody controls, even one that only just appeared', async () => {
    const client = server.client(new FakeClock());
    const racing = rig.writer({
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
    const stale = rig.cached();
    server.store.delete(PATH, {});
    server.store.create(COLLECTION, { metadata: { name: 'web' }, spec: { replicas: 9 } });
    const failed = rig.writer({ cached: () => stale }).apply(Deployment, intent({ replicas: 2 }), signal);
    await expect(failed).rejects.toMatchObject({ isConflict: true, isTransient: true });
    expect(server.store.get(PATH)['spec']).toEqual({ replicas: 9 });
  });

  it('asks the server before it calls the name taken: the cache may be behind', async () => {
    server.store.create(COLLECTION, { metadata: { name: 'web' } });
    const stale = rig.cached();
    server.store.delete(PATH, {});
    await expect(rig.writer({ cached: () => stale }).apply(Deployment, intent({}), signal)).resolves.toMatchObject({
      outcome: 'created',
    });
  });

  it('takes a field that the schema does not have for a fault of the object, not of the moment', async () => {
    const failed = writer.apply(Deployment, intent({ noSuchField: 1 }), signal);
    await expect(failed).rejects.toMatchObject({ status: 500, isTransient: false });
    expect(rig.patches()).toHaveLength(1);
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
    const mute = rig.writer({
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
