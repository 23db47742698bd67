// Who we are on a real API server, and what it takes of us.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EventRecorder } from '../../operator/kube/events.ts';
import { inClusterTransport } from '../../operator/kube/in-cluster.ts';
import { pathOf, RESOURCES } from '../../operator/kube/resources.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import type { KubeRig } from '../support/kube-rig.ts';
import { ConfigMap, startKubeRig, unlimitedClient } from '../support/kube-rig.ts';

let rig: KubeRig;
let directory: string;

beforeAll(async () => {
  rig = await startKubeRig();
  directory = await mkdtemp(join(tmpdir(), 'service-account-'));
});

afterAll(async () => {
  rig.transport.close();
  await rm(directory, { recursive: true });
});

async function tokenOf(account: string): Promise<string> {
  await rig.create(RESOURCES.ServiceAccount, account);
  const path = `${pathOf(RESOURCES.ServiceAccount, { namespace: rig.namespace, name: account })}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const answer = await rig.client.request('POST', path, { body, signal: rig.signal });
  return (answer as { status: { token: string } }).status.token;
}

async function authority(): Promise<string> {
  const config = parse(await readFile(rig.kubeconfig, 'utf8')) as { clusters: { cluster: Record<string, string> }[] };
  return Buffer.from(config.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString();
}

it('lets a pod in by its ServiceAccount, whose rotated token is read when the old one is refused', async () => {
  await writeFile(join(directory, 'ca.crt'), await authority());
  await writeFile(join(directory, 'token'), 'expired');
  const { hostname, port } = rig.transport.baseUrl;
  const transport = inClusterTransport({ clock: systemClock, host: hostname, port: Number(port), directory });
  await transport.credentials();
  await writeFile(join(directory, 'token'), await tokenOf('pod'));
  const client = unlimitedClient(transport);

  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const who = await client.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body,
    signal: rig.signal,
  });
  expect(who).toMatchObject({ status: { userInfo: { username: `system:serviceaccount:${rig.namespace}:pod` } } });

  const secrets = client.request('GET', pathOf(ConfigMap, { namespace: rig.namespace }), { signal: rig.signal });
  await expect(secrets).rejects.toMatchObject({ isForbidden: true, isTransient: false });
  transport.close();
});

it('does not trust a server with another authority', async () => {
  await writeFile(join(directory, 'ca.crt'), '');
  const { hostname, port } = rig.transport.baseUrl;
  const transport = inClusterTransport({ clock: systemClock, host: hostname, port: Number(port), directory });
  const asked = unlimitedClient(transport).request('GET', '/version', { signal: rig.signal });
  await expect(asked).rejects.toMatchObject({ status: 0, reason: 'Unreachable' });
  transport.close();
});

it('takes our events', async () => {
  const { client, namespace, signal } = rig;
  const regarding = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'x', uid: 'u' };
  const recorder = new EventRecorder({
    client,
    clock: systemClock,
    controller: 'test.example/edge',
    instance: 'pod-1',
  });
  recorder.record({ regarding, type: 'Normal', reason: 'Promoted', action: 'Promote', note: 'to r2' }, signal);
  await recorder.flush();
  const events = client.request('GET', pathOf(RESOURCES.Event, { namespace }), { signal });
  await expect(events).resolves.toMatchObject({ items: [{ reason: 'Promoted', note: 'to r2' }] });
});
