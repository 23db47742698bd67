// When an intent that the API server has already is sent again.
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

describe('an intent that was applied before', () => {
  beforeEach(async () => {
    writer = rig.writer({ cached: rig.cached });
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
    const before = rig.cached();
    writer = rig.writer({ cached: () => before });
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
    expect(rig.patches()).toHaveLength(1);
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
