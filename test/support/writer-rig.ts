// The writer of objects on the fake API server, and the Deployment that its tests write.
import { createObjectWriter } from '../../operator/kube/apply-object.ts';
import type { ObjectWriter, ObjectWriterOptions } from '../../operator/kube/apply-object.ts';
import type { KubeObject, StoredObject } from '../../operator/kube/objects.ts';
import { parseStored } from '../../operator/kube/objects.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { FakeClock } from './fake-clock.ts';

export const COLLECTION = '/apis/apps/v1/namespaces/ml/deployments';
export const PATH = `${COLLECTION}/web`;

export interface WriterRig {
  readonly server: FakeApiServer;
  /** What the writers have told of their writes: "Deployment web". */
  readonly written: readonly string[];
  readonly writer: (options?: Partial<ObjectWriterOptions>) => ObjectWriter;
  /** The Deployment as a cache would have it that is up to date. */
  readonly cached: () => StoredObject | undefined;
  readonly patches: () => FakeApiServer['requests'];
}

export async function openWriterRig(): Promise<WriterRig> {
  const server = await FakeApiServer.start();
  const written: string[] = [];
  return {
    server,
    written,
    writer: (options = {}) =>
      createObjectWriter({
        client: server.client(new FakeClock()),
        fieldManager: 'tester',
        statusManager: 'tester-status',
        assertLeading: () => undefined,
        onWritten: (type, { metadata }) => written.push(`${type.kind} ${metadata.name}`),
        ...options,
      }),
    cached: () =>
      server.store.has(PATH) ? parseStored(structuredClone(server.store.get(PATH)), RESOURCES.Deployment) : undefined,
    patches: () => server.requests.filter(({ method }) => method === 'PATCH'),
  };
}

export function controlledBy(uid: string): KubeObject['metadata']['ownerReferences'] {
  return [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, controller: true, blockOwnerDeletion: true }];
}

export function intent(spec: Record<string, unknown>, owner = 'owner-1'): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'ml', ownerReferences: controlledBy(owner) ?? [] },
    spec,
  };
}
