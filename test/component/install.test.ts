// The shipped manifests, read as files: what the operator may do, how its pods are locked down, and that they name this release.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { loadConfig } from '../../operator/config.ts';

const root = new URL('../../', import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), 'utf8');
const { version } = z.object({ version: z.string() }).parse(JSON.parse(text('package.json')));

const Rule = z.object({
  apiGroups: z.array(z.string()),
  resources: z.array(z.string()),
  resourceNames: z.array(z.string()).optional(),
  verbs: z.array(z.string()),
});
const Document = z.looseObject({ kind: z.string(), metadata: z.object({ name: z.string() }).optional() });
const Role = z.object({ rules: z.array(Rule) });

const documents = ['config/rbac', 'config/operator', 'config/default'].flatMap((dir) =>
  readdirSync(new URL(dir, root))
    .filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml')
    .flatMap((file) => parseAllDocuments(text(`${dir}/${file}`)).map((document) => Document.parse(document.toJS()))),
);
const find = (kind: string, name: string) => documents.find((d) => d.kind === kind && d.metadata?.name === name);
const rules = Role.parse(find('ClusterRole', 'switchyard-operator')).rules;
const verbsOf = (resource: string) =>
  rules.filter(({ resources }) => resources.includes(resource)).flatMap(({ verbs }) => verbs);

describe('the operator may', () => {
  it('do nothing by a wildcard', () => {
    const all = rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]);
    expect(all).not.toContain('*');
  });

  it('not escalate', () => {
    const verbs = rules.flatMap((rule) => rule.verbs);
    expect(verbs).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(escalate|bind|impersonate)$/)]));
    expect(verbsOf('pods/exec')).toEqual([]);
  });

  it('not list Secrets', () => {
    expect(verbsOf('secrets')).toEqual(['get', 'create', 'patch']);
  });

  it('delete a pod, and neither make nor change one', () => {
    expect(verbsOf('pods')).toEqual(['get', 'list', 'watch', 'delete']);
  });

  it('not write a spec', () => {
    expect(verbsOf('modeldeployments')).toEqual(['get', 'list', 'watch']);
  });

  it('read one CustomResourceDefinition, and change none', () => {
    const ofCrds = rules.filter(({ resources }) => resources.includes('customresourcedefinitions'));
    expect(ofCrds).toMatchObject([{ resourceNames: ['modeldeployments.switchyard.dev'], verbs: ['get'] }]);
  });

  it('touch no lease but its own', () => {
    expect(verbsOf('leases')).toEqual([]);
    const lease = Role.parse(find('Role', 'switchyard-operator-lease')).rules;
    const unnamed = lease.filter(({ resourceNames }) => resourceNames === undefined).flatMap(({ verbs }) => verbs);
    expect(unnamed).toEqual(['create']);
  });
});

describe('the operator Deployment', () => {
  const deployment = JSON.stringify(find('Deployment', 'switchyard-operator'));

  it.each([
    '"runAsNonRoot":true',
    '"allowPrivilegeEscalation":false',
    '"readOnlyRootFilesystem":true',
    '"drop":["ALL"]',
    '"seccompProfile":{"type":"RuntimeDefault"}',
  ])('has %s', (setting) => {
    expect(deployment).toContain(setting);
  });

  it('runs the image of this version', () => {
    expect(deployment).toContain(`"image":"switchyard/operator:${version}"`);
  });
});

describe('the shipped configuration', () => {
  const data = z.object({ 'config.yaml': z.string() }).parse(find('ConfigMap', 'switchyard-config')?.['data']);
  const config = loadConfig({ SWITCHYARD_CONFIG: 'shipped' }, () => data['config.yaml']);

  it('is one that the operator takes, with the images of this version', () => {
    expect(Object.keys(config.stores).sort()).toEqual(['aws', 'minio']);
    expect(config.images.inference).toBe(`switchyard/inference:${version}`);
    expect(config.images.operator).toBe(`switchyard/operator:${version}`);
  });

  it('agrees with the Deployment and the Role about ports and the lease', () => {
    expect(JSON.stringify(find('Deployment', 'switchyard-operator'))).toContain(
      `"containerPort":${config.ports.health}`,
    );
    expect(JSON.stringify(find('Role', 'switchyard-operator-lease'))).toContain(`"${config.leaderElection.leaseName}"`);
  });
});
