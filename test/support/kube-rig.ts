// What the tests of the API-server edge share on a real server: a client without limits, a namespace, a small custom resource.
import { vi } from 'vitest';
import type { KubeClient } from '../../operator/kube/client.ts';
import { APPLY_TYPE, createKubeClient } from '../../operator/kube/client.ts';
import type { Transport } from '../../operator/kube/connection.ts';
import type { StoredObject } from '../../operator/kube/objects.ts';
import { parseStored } from '../../operator/kube/objects.ts';
import type { ResourceType } from '../../operator/kube/resources.ts';
import { pathOf, RESOURCES } from '../../operator/kube/resources.ts';
import { fileTransport } from '../../operator/kube/transport.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { RateLimiter } from '../../operator/runtime/rate-limiter.ts';
import { openTier, uniqueName } from './tier.ts';

/** `spec: {size, text}` and a free status. */
export const WIDGET: ResourceType = {
  group: 'test.example',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

export interface KubeRig {
  readonly kubeconfig: string;
  readonly transport: Transport;
  readonly client: KubeClient;
  readonly namespace: string;
  /** For every request of a test file. */
  readonly signal: AbortSignal;
  create(type: ResourceType, name: string, fields?: object): Promise<StoredObject>;
  remove(type: ResourceType, name: string): Promise<void>;
}

/** Also makes the namespace, and sees to it that widgets can be made. */
export async function startKubeRig(): Promise<KubeRig> {
  const { kubeconfig } = await openTier();
  const transport = fileTransport(kubeconfig);
  const client = unlimitedClient(transport);
  const signal = AbortSignal.timeout(60_000);
  const namespace = uniqueName('kube');
  await client.request('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } }, signal });
  await installWidgets(client, namespace, signal);
  return {
    kubeconfig,
    transport,
    client,
    namespace,
    signal,
    async create(type, name, fields = {}) {
      const body = {
        apiVersion: [type.group, type.version].filter(Boolean).join('/'),
        kind: type.kind,
        metadata: { name },
        ...fields,
      };
      const object = parseStored(await client.request('POST', pathOf(type, { namespace }), { body, signal }), type);
      if (object === undefined) throw new Error('not an object');
      return object;
    },
    async remove(type, name) {
      await client.request('DELETE', pathOf(type, { namespace, name }), { signal });
    },
  };
}

export function unlimitedClient(transport: Transport): KubeClient {
  const limiter = new RateLimiter({ clock: systemClock, perSecond: 1000, burst: 1000 });
  return createKubeClient({ transport, clock: systemClock, limiter, userAgent: 'kube-test' });
}

async function installWidgets(client: KubeClient, namespace: string, signal: AbortSignal): Promise<void> {
  const spec = { type: 'object', properties: { size: { type: 'integer' }, text: { type: 'string' } } };
  const status = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec, status } } };
  const { group, plural, kind, version } = WIDGET;
  const body = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: 'widget', kind },
      versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${body.metadata.name}`;
  const query = { fieldManager: 'kube-test', force: true };
  await client.request('PATCH', path, { body, contentType: APPLY_TYPE, query, signal });
  const served = () => client.request('GET', pathOf(WIDGET, { namespace }), { signal });
  await vi.waitFor(served, { timeout: 20_000, interval: 100 });
}

export const { ConfigMap } = RESOURCES;
