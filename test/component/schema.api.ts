// The resource on a real API server: what it takes and refuses, the defaults it sets, its scale and status subresources.
import { readFile, readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { buildCrd } from '../../operator/domain/crd.ts';
import { parseSpec } from '../../operator/domain/model-deployment.ts';
import { INITIAL_STATUS, Status } from '../../operator/domain/status.ts';
import { APPLY_TYPE, createKubeClient, type Method, type RequestOptions } from '../../operator/kube/client.ts';
import { fileTransport } from '../../operator/kube/transport.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { RateLimiter } from '../../operator/runtime/rate-limiter.ts';
import { aManifest, type Change } from '../support/a-manifest.ts';
import { openTier } from '../support/tier.ts';
import { accepted, refused } from './schema-cases.ts';

type Json = Readonly<Record<string, unknown>>;

const NAMESPACE = 'schema';
const ALL = `/apis/switchyard.dev/v1alpha1/namespaces/${NAMESPACE}/modeldeployments`;
const EXAMPLES = new URL('../../crds/examples/', import.meta.url);
const dryRun = { dryRun: 'All', fieldValidation: 'Strict' };

const client = createKubeClient({
  transport: fileTransport((await openTier()).kubeconfig),
  clock: systemClock,
  limiter: new RateLimiter({ clock: systemClock, perSecond: 1000, burst: 1000 }),
  userAgent: 'schema-test',
});

async function send(method: Method, path: string, options: Omit<RequestOptions, 'signal'> = {}): Promise<Json> {
  return (await client.request(method, path, { ...options, signal: AbortSignal.timeout(20_000) })) as Json;
}

const tryCreate = (change: Change) => send('POST', ALL, { body: aManifest(change), query: dryRun });
const apply = (path: string, body: unknown, fieldManager = 'test') =>
  send('PATCH', path, { body, contentType: APPLY_TYPE, query: { fieldManager, force: true } });

beforeAll(async () => {
  const crd = buildCrd();
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
  await apply(path, crd);
  await apply(`/api/v1/namespaces/${NAMESPACE}`, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
  await vi.waitFor(() => send('GET', ALL), { timeout: 20_000 });
});

describe('the API server takes', () => {
  it.each(accepted)('%s', async (_, change) => {
    await expect(tryCreate(change)).resolves.toHaveProperty('spec');
  });

  it('every example', async () => {
    for (const file of await readdir(EXAMPLES)) {
      const example = parse(await readFile(new URL(file, EXAMPLES), 'utf8')) as { metadata: object };
      const body = { ...example, metadata: { ...example.metadata, namespace: NAMESPACE } };
      await expect(send('POST', ALL, { body, query: dryRun }), file).resolves.toHaveProperty('spec');
    }
  });
});

describe('the API server refuses', () => {
  it.each(refused)('%s', async (_, change, message) => {
    await expect(tryCreate(change)).rejects.toThrow(message);
  });
});

describe('defaults', () => {
  it.each(accepted)('parseSpec gives the same as the API server: %s', async (_, change) => {
    const manifest = aManifest(change);

    const created = await tryCreate(change);

    expect(parseSpec(manifest)).toEqual(parseSpec(created));
    expect(withTextQuantities(created['spec'])).toEqual(parseSpec(manifest));
  });

  it('gives a new object a status that nobody takes for ready, and drops one that the user sends', async () => {
    const status = { phase: 'Healthy', conditions: [] };

    const created = await send('POST', ALL, { body: { ...aManifest({}), status }, query: dryRun });

    expect(created['status']).toEqual(INITIAL_STATUS);
    expect(Status.parse(created['status'])).toEqual(INITIAL_STATUS);
  });
});

describe('subresources', () => {
  it('scale changes spec.replicas within its limits', async () => {
    await apply(`${ALL}/scaled`, aManifest({ 'metadata.name': 'scaled' }));
    const scale = (replicas: number) =>
      send('PATCH', `${ALL}/scaled/scale`, {
        body: { spec: { replicas } },
        contentType: 'application/merge-patch+json',
      });

    await expect(scale(5)).resolves.toMatchObject({ kind: 'Scale', spec: { replicas: 5 } });
    await expect(send('GET', `${ALL}/scaled`)).resolves.toMatchObject({ spec: { replicas: 5 } });
    await expect(scale(1001)).rejects.toThrow('spec.replicas');
  });

  it('status takes what the operator writes, and shows it to kubectl get', async () => {
    await apply(`${ALL}/shown`, aManifest({ 'metadata.name': 'shown' }));
    const summary = { version: '1.2.0', traffic: 'blue=1', loaded: '2/2', url: 'http://shown.schema.svc' };
    const status = Status.parse({ ...INITIAL_STATUS, phase: 'Healthy', summary, replicas: 2, selector: 'a=b' });

    await apply(
      `${ALL}/shown/status`,
      { ...aManifest({ 'metadata.name': 'shown' }), spec: undefined, status },
      'switchyard-status',
    );

    const written = await send('GET', `${ALL}/shown`);
    expect(written['status']).toEqual(status);
    await expect(send('GET', `${ALL}/shown/scale`)).resolves.toMatchObject({
      status: { replicas: 2, selector: 'a=b' },
    });
  });
});

/** The API server keeps a bare number of a quantity as it was sent; parseSpec reads it as text. */
function withTextQuantities(spec: unknown): unknown {
  return JSON.parse(JSON.stringify(spec), (key, value: unknown) => (key === 'nvidia.com/gpu' ? String(value) : value));
}
