// The node itself: pods, Services, names, logs and exec, and that nothing leaves the machine.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from './cluster.ts';
import { waitFor } from './process.ts';
import { openTier, tierImages, uniqueName } from '../support/tier.ts';

const namespace = uniqueName('node');
const server = `require('node:http').createServer((_, answer) => answer.end(process.env.HOSTNAME)).listen(8080, () => console.log('listening'));
process.on('SIGTERM', () => process.exit(0));`;

let cluster: Cluster;
let address: string;

function manifest(image: string): object {
  const container = {
    name: 'web',
    image,
    args: ['-e', server],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 },
    resources: { requests: { cpu: '10m', memory: '48Mi' }, limits: { memory: '128Mi' } },
    securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const spec = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
  };
  const labels = { app: 'web' };
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
      },
    ],
  };
}

/** Runs a piece of JavaScript in one of the pods; ends with what it prints. */
async function inPod(code: string): Promise<string> {
  const said = await cluster.kubectl([
    'exec',
    'deployment/web',
    '--namespace',
    namespace,
    '--',
    '/usr/local/bin/node',
    '-e',
    code,
  ]);
  return said.trim();
}

beforeAll(async () => {
  cluster = await openTier();
  await cluster.kubectl(['create', 'namespace', namespace]);
  await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
  await cluster.kubectl(
    ['apply', '--namespace', namespace, '--filename=-'],
    JSON.stringify(manifest(tierImages().operator)),
  );
  await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s', '--namespace', namespace]);
  address = await cluster.kubectl([
    'get',
    'service',
    'web',
    '--namespace',
    namespace,
    '--output=jsonpath={.spec.clusterIP}',
  ]);
  // A ready pod is not yet a target: kube-proxy gathers changes for about a second.
  const answers = async (): Promise<boolean> =>
    fetch(`http://${address}/`).then(
      (answer) => answer.ok,
      () => false,
    );
  await waitFor(answers, { what: 'the Service to answer', deadlineMs: 20_000 });
});

afterAll(async () => {
  await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

/** Not fetch, which keeps its connection, and with it the pod that answers. */
async function textOnNewConnection(url: string): Promise<string> {
  const [answer] = (await once(get(url, { agent: false, timeout: 5000 }), 'response')) as [IncomingMessage];
  return text(answer);
}

describe('a Service of three pods', () => {
  it('answers on its address from the host, from every pod', async () => {
    const names = new Set<string>();
    // kube-proxy hears of the three one after the other.
    for (let request = 0; request < 500 && names.size < 3; request += 1) {
      await sleep(20);
      names.add(await textOnNewConnection(`http://${address}/`));
    }

    expect(names.size).toBe(3);
  });

  it('answers on its address from inside the node', async () => {
    const code = `fetch('http://${address}/').then((answer) => answer.text()).then(console.log)`;
    const child = cluster.inNamespace(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });

    expect(child.stdout && (await text(child.stdout))).toMatch(/^web-/);
  });

  it('answers by its name from a pod', async () => {
    expect(
      await inPod(`fetch('http://web.${namespace}.svc.cluster.local/').then((a) => a.text()).then(console.log)`),
    ).toMatch(/^web-/);
  });
});

describe('a pod', () => {
  it('is reached by kubectl logs', async () => {
    expect(await cluster.kubectl(['logs', 'deployment/web', '--namespace', namespace])).toBe('listening\n');
  });

  it('reaches the API server with its own token', async () => {
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    const code = `const { readFileSync: read } = require('node:fs');
require('node:https').get('https://kubernetes.default.svc/version',
  { ca: read('${folder}/ca.crt'), headers: { authorization: 'Bearer ' + read('${folder}/token') } }, (answer) => console.log(answer.resume().statusCode));`;

    expect(await inPod(code)).toContain('200');
  });

  it('reaches the S3 server', async () => {
    expect(await inPod(`fetch('${cluster.s3.endpoint}/').then((answer) => console.log(answer.status))`)).toBe('403');
  });

  it('reaches nothing beyond the machine', async () => {
    const code = `fetch('http://198.51.100.1/', { signal: AbortSignal.timeout(1000) }).then(() => 'reached', () => 'not reached').then(console.log)`;

    expect(await inPod(code)).toBe('not reached');
  });
});

describe('a program that a test stops', () => {
  it('is there again after a start, with what it held', async () => {
    await cluster.apiserver.stop();
    await expect(cluster.kubectl(['get', 'namespaces', '--request-timeout=2s'])).rejects.toThrow(
      /refused|unable to connect/i,
    );

    await cluster.apiserver.start();

    expect(await cluster.kubectl(['get', 'namespace', namespace, '--output=name'])).toBe(`namespace/${namespace}\n`);
  });
});
