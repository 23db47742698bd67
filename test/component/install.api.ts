// `kubectl apply -k config/default` on a real API server: it is taken, a second time changes nothing, and its RBAC allows what is meant and no more.
import { beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cluster/config.ts';
import { openTier } from '../support/tier.ts';

const OPERATOR = 'system:serviceaccount:switchyard-system:switchyard-operator';

const ALLOWED = [
  ['watch', 'modeldeployments.switchyard.dev'],
  ['patch', 'modeldeployments.switchyard.dev/status'],
  ['create', 'deployments.apps'],
  ['patch', 'roles.rbac.authorization.k8s.io'],
  ['watch', 'endpointslices.discovery.k8s.io'],
  ['get', 'secrets'],
  ['delete', 'pods'],
  ['create', 'events.events.k8s.io'],
];

const FORBIDDEN = [
  ['list', 'secrets'],
  ['watch', 'secrets'],
  ['delete', 'secrets'],
  ['patch', 'modeldeployments.switchyard.dev'],
  ['update', 'modeldeployments.switchyard.dev'],
  ['create', 'pods'],
  ['get', 'nodes'],
  ['create', 'clusterrolebindings.rbac.authorization.k8s.io'],
  ['escalate', 'roles.rbac.authorization.k8s.io'],
  ['bind', 'roles.rbac.authorization.k8s.io'],
  ['impersonate', 'serviceaccounts'],
  ['create', 'leases.coordination.k8s.io'],
];

const cluster = await openTier();
const kubectl = (...args: string[]) => cluster.kubectl(args, undefined, { cwd: projectRoot });
const mayOperator = async (verb: string, resource: string, ...more: string[]) =>
  (await kubectl('auth', 'can-i', verb, resource, `--as=${OPERATOR}`, ...more).catch(() => 'no')).trim();

beforeAll(async () => {
  await kubectl('apply', '-k', 'config/default');
  await kubectl('wait', '--for=condition=Established', 'crd/modeldeployments.switchyard.dev', '--timeout=20s');
});

describe('kubectl apply -k config/default', () => {
  it('changes nothing the second time, so that Argo CD stays in sync', async () => {
    await expect(kubectl('diff', '-k', 'config/default')).resolves.toBe('');
  });

  it('makes kubectl get mdep print the columns that people know', async () => {
    await kubectl('create', 'namespace', 'columns');
    const manifest = {
      apiVersion: 'switchyard.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name: 'retail', namespace: 'columns' },
      spec: { variants: [{ name: 'blue', weight: 1, model: { key: 'retail/blue.joblib' } }] },
    };
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(manifest));

    const [narrow = '', row = ''] = (await kubectl('get', 'mdep', '-n', 'columns')).split('\n');
    const wide = await kubectl('get', 'ml', '-n', 'columns', '-o', 'wide');

    expect(narrow.split(/\s+/)).toEqual('NAME READY PHASE VERSION TRAFFIC LOADED REPLICAS AGE'.split(' '));
    expect(row).toMatch(/^retail +Unknown +Pending /);
    expect(wide).toMatch(/KEY +STRATEGY +URL +MESSAGE/);
    expect(wide).toMatch(/retail\/blue\.joblib +HotReload/);
  });
});

describe('the operator', () => {
  it.each(ALLOWED)('may %s %s in every namespace', async (verb, resource) => {
    const [type = '', subresource] = resource.split('/');
    const more = subresource === undefined ? [] : [`--subresource=${subresource}`];
    await expect(mayOperator(verb, type, '--all-namespaces', ...more)).resolves.toBe('yes');
  });

  it.each(FORBIDDEN)('may not %s %s', async (verb, resource) => {
    await expect(mayOperator(verb, resource, '--namespace=default')).resolves.toBe('no');
  });

  it('may hold its own lease and no other of its namespace', async () => {
    const lease = (name: string) =>
      mayOperator('update', `leases.coordination.k8s.io/${name}`, '-n', 'switchyard-system');

    await expect(lease('switchyard-operator')).resolves.toBe('yes');
    await expect(lease('somebody-elses')).resolves.toBe('no');
  });

  it('may read its own definition and no other', async () => {
    const definition = (name: string) => mayOperator('get', `customresourcedefinitions.apiextensions.k8s.io/${name}`);

    await expect(definition('modeldeployments.switchyard.dev')).resolves.toBe('yes');
    await expect(definition('others.example.com')).resolves.toBe('no');
  });

  it('may give a router what it reads, and nothing that it does not hold itself', async () => {
    await kubectl('create', 'namespace', 'grants');
    const grant = (resource: string) =>
      kubectl(
        'create',
        'role',
        resource,
        `--resource=${resource}`,
        '--verb=get,list,watch',
        '-n',
        'grants',
        `--as=${OPERATOR}`,
      );

    await expect(grant('configmaps')).resolves.toContain('created');
    await expect(grant('endpointslices.discovery.k8s.io')).resolves.toContain('created');
    await expect(grant('secrets')).rejects.toThrow('attempting to grant RBAC permissions not currently held');
  });
});
