import { describe, expect, it } from 'vitest';
import type { RouterTable } from '../../router/contract.ts';
import { loadConfig } from '../../router/config.ts';
import { parseTable } from '../../router/cluster.ts';
import { buildRouter, stickyKey } from './router.ts';
import type { RouterInput } from './router.ts';

const TABLE: RouterTable = {
  generation: 1,
  slots: [{ slot: 0, variant: 'blue', service: 'retail--blue' }],
  ranges: [{ from: 0, to: 9_999, slot: 0 }],
};

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { name: string; value?: string }[];
  readonly securityContext: unknown;
}

function input(overrides: Partial<RouterInput> = {}): RouterInput {
  const owner = { name: 'retail', namespace: 'ml', uid: 'u-1' };
  return { owner, images: { haproxy: 'haproxy:3.2', operator: 'operator:1' }, table: TABLE, ...overrides };
}

function built(overrides: Partial<RouterInput> = {}) {
  const objects = buildRouter(input(overrides));
  const of = (kind: string) => objects.find((object) => object.kind === kind)!;
  const template = (of('Deployment')['spec'] as { template: { spec: Record<string, unknown> } }).template;
  const { initContainers, containers, ...pod } = template.spec;
  return { objects, of, template, pod, all: [...(initContainers as Container[]), ...(containers as Container[])] };
}

describe('buildRouter', () => {
  it('makes every object under one name, owned, dependencies first', () => {
    const { objects } = built();

    expect(objects.map(({ kind }) => kind)).toEqual([
      'ConfigMap',
      'ServiceAccount',
      'Role',
      'RoleBinding',
      'Deployment',
      'PodDisruptionBudget',
    ]);
    for (const { metadata } of objects) {
      expect(metadata).toMatchObject({
        name: 'retail--router',
        namespace: 'ml',
        ownerReferences: [{ uid: 'u-1', controller: true }],
      });
    }
  });

  it('writes a table that the router reads back', () => {
    const object = built().of('ConfigMap');

    expect(parseTable({ ...object, metadata: { ...object.metadata, uid: 'u', resourceVersion: '1' } })).toEqual(TABLE);
  });

  it('keeps the pods as they are when only the table changes, and changes them with the sticky key', () => {
    const { template } = built();

    expect(built({ table: { ...TABLE, generation: 9 } }).template).toEqual(template);
    expect(built({ sticky: { header: 'x-user-id' } }).template).not.toEqual(template);
    expect(built({ overrideHeader: 'x-v' }).template).not.toEqual(template);
  });

  it('sets an environment that the router accepts', () => {
    const { all } = built({ sticky: { cookie: 'session' }, overrideHeader: 'x-v' });

    for (const { env = [] } of all.filter(({ name }) => name !== 'haproxy')) {
      const set = Object.fromEntries(env.map(({ name, value }) => [name, value ?? 'from-a-field']));
      const config = loadConfig({ ...set, KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' });
      expect(config).toMatchObject({
        modelDeployment: 'retail',
        configMap: 'retail--router',
        sticky: { cookie: 'session' },
        overrideHeader: 'x-v',
      });
    }
  });

  it('runs under the restricted pod security standard', () => {
    const { pod, all } = built();

    expect(pod['securityContext']).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext } of all) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('may read its own ConfigMap and the EndpointSlices, and nothing else', () => {
    expect(built().of('Role')['rules']).toEqual([
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: ['retail--router'],
        verbs: ['get', 'list', 'watch'],
      },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
    ]);
  });

  it('never has fewer routers than wanted in a rolling update, and leaves them time to drain', () => {
    const { of, pod } = built();

    expect(of('Deployment')['spec']).toMatchObject({
      replicas: 2,
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
    expect(pod['terminationGracePeriodSeconds']).toBeGreaterThan(15 + 330);
  });
});

describe('stickyKey', () => {
  it.each([
    [undefined, undefined],
    [{}, undefined],
    [{ header: 'x-user-id' }, { header: 'x-user-id' }],
    [{ cookie: 'session' }, { cookie: 'session' }],
    [{ clientAddress: {} }, { clientAddress: {} }],
  ])('turns %j into %j', (sticky, key) => {
    expect(stickyKey(sticky)).toEqual(key);
  });
});
