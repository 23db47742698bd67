// What must not disturb the models: the operator killed, upgraded, at rest, or absent.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../cluster/docker.ts';
import { waitFor } from '../cluster/process.ts';
import { readArtifact } from '../demo/artifacts.ts';
import { auditPosition, entriesSince, operatorWrites, summarize } from '../demo/audit.ts';
import type { PodView } from '../demo/kube.ts';
import { NAMESPACE, SYSTEM_NAMESPACE } from '../demo/manifests.ts';
import { modelInfo, modelPods, untilAllReport } from '../demo/pods.ts';
import { processesOf } from '../demo/processes.ts';
import { operatorPods } from '../demo/promotions.ts';
import type { Target } from '../demo/reload.ts';
import { untilLed } from '../demo/stage.ts';
import { tierImages } from '../support/tier.ts';
import { BLUE_ONLY, failuresOf, loadOn, openScene, untilReady, type Scene } from './scene.ts';

const OPERATOR = 'deployment/switchyard-operator';
const REST_MS = 30_000;

let stage: Scene;
let waves: Target;
let steady: Target;
let orphan: Target;

beforeAll(async () => {
  stage = await openScene();
  const slowly = { rollout: { hotReload: { maxConcurrent: '1', soak: '2s' } } };
  waves = await stage.applySingle('waves', { replicas: 3, spec: slowly });
  steady = await stage.applySingle('steady', { spec: { traffic: { sticky: { header: 'x-user-id' } } } });
  orphan = await stage.applySingle('orphan', { spec: { traffic: { sticky: { header: 'x-user-id' } } } });
  await untilReady(stage, [waves, steady, orphan]);
});

afterAll(() => stage.close());

const podsOf = async ({ namespace, name }: Target): Promise<PodView[]> => modelPods(stage.kube, namespace, name);
const identities = (pods: readonly PodView[]) => pods.map(({ uid, restarts }) => `${uid}/${restarts}`).toSorted();

describe('at rest', () => {
  it('writes nothing to the API server but its lease', async () => {
    await sleep(5_000);
    const position = await auditPosition(stage.cluster.auditLog);

    await sleep(REST_MS);

    const entries = await entriesSince(stage.cluster.auditLog, position);
    expect(summarize(operatorWrites(entries))).toEqual([]);
    expect(entries.some(({ resource, verb }) => resource === 'leases' && verb !== 'get')).toBe(true);
  });
});

describe('killed in the middle of a reload wave', () => {
  it('is replaced by its standby, which finishes; no request fails and no pod restarts', async () => {
    const { kube, store } = stage;
    const artifact = await readArtifact('basket-blue-2');
    const before = await podsOf(waves);
    const load = await loadOn(stage, waves);
    try {
      await load.expect({ ...BLUE_ONLY, versions: { blue: ['blue-1', 'blue-2'] } });
      const leader = await untilLed(kube);
      await store.upload(waves.bucket, waves.key, artifact.bytes);
      await waitFor(async () => (await countReporting(before, artifact.sha256)) > 0, {
        what: 'the first pod to reload',
        deadlineMs: 30_000,
        intervalMs: 20,
      });

      await killOperator(leader);
      const reportedAtKill = await countReporting(before, artifact.sha256);
      const successor = await untilLed(kube, 40, leader);
      await untilAllReport(before, artifact.sha256, 40);
      await load.expect({ ...BLUE_ONLY, versions: { blue: ['blue-2'] } });
      await untilReady(stage, [waves]);

      expect(reportedAtKill).toBeLessThan(before.length);
      expect(successor).not.toBe(leader);
      expect(identities(await podsOf(waves))).toEqual(identities(before));
      expect(failuresOf(await load.stop())).toEqual([]);
    } finally {
      await load.kill();
    }
  });
});

async function countReporting(pods: readonly PodView[], sha256: string): Promise<number> {
  const infos = await Promise.all(pods.map(modelInfo));
  return infos.filter((info) => info?.artifact?.sha256 === sha256).length;
}

async function killOperator(name: string): Promise<void> {
  const pod = (await operatorPods(stage.kube)).find((candidate) => candidate.name === name);
  const pids = pod === undefined ? [] : await processesOf(pod, '/app/operator/main.js');
  expect(pids).toHaveLength(1);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

describe('upgraded to images of other names', () => {
  it('restarts no model pod and loses no request', async () => {
    const { kube, cluster } = stage;
    const images = tierImages();
    const next = (image: string): string => image.replace(/:[^:]+$/, ':next');
    for (const image of [images.operator, images.inference]) await docker(['tag', image, next(image)]);
    await cluster.importImages([next(images.operator), next(images.inference)]);
    const before = [...(await podsOf(waves)), ...(await podsOf(steady))];
    const load = await loadOn(stage, steady);
    try {
      const manifests = await kube.kubectl(['kustomize', 'config/default']);
      const upgraded = [images.operator, images.inference].reduce(
        (text, image) => text.replaceAll(image, next(image)),
        manifests,
      );
      await kube.kubectl(['apply', '--filename', '-'], upgraded);
      await kube.kubectl(['rollout', 'restart', '--namespace', SYSTEM_NAMESPACE, OPERATOR]);
      await kube.kubectl(
        ['rollout', 'status', '--namespace', SYSTEM_NAMESPACE, OPERATOR, '--timeout=90s'],
        undefined,
        95_000,
      );
      await untilLed(kube);
      await kube.kubectl([
        'rollout',
        'status',
        '--namespace',
        NAMESPACE,
        `deployment/${steady.name}--router`,
        '--timeout=60s',
      ]);
      await untilReady(stage, [waves, steady]);

      const after = [...(await podsOf(waves)), ...(await podsOf(steady))];
      expect(identities(after)).toEqual(identities(before));
      expect(failuresOf(await load.stop())).toEqual([]);
    } finally {
      await load.kill();
    }
  });
});

describe('absent', () => {
  it('leaves nothing behind when a resource is deleted', async () => {
    const { kube } = stage;
    await kube.kubectl(['scale', '--namespace', SYSTEM_NAMESPACE, OPERATOR, '--replicas=0']);
    try {
      await waitFor(async () => (await operatorPods(kube)).length === 0, {
        what: 'the operator to be gone',
        deadlineMs: 40_000,
      });
      expect((await childrenOf(orphan)).length).toBeGreaterThan(10);

      await kube.kubectl(['delete', 'mdep', orphan.name, '--namespace', NAMESPACE]);

      await waitFor(async () => (await childrenOf(orphan)).length === 0, {
        what: `the children of ${orphan.name} to be collected`,
        deadlineMs: 60_000,
        intervalMs: 1000,
      });
    } finally {
      await kube.kubectl(['scale', '--namespace', SYSTEM_NAMESPACE, OPERATOR, '--replicas=2']);
    }
  });
});

const KINDS =
  'deployments,replicasets,pods,services,configmaps,secrets,serviceaccounts,roles,rolebindings,poddisruptionbudgets,controllerrevisions,endpointslices';

/** What is left of a resource; pods that are on their way out take the time of their grace period, which is not the collector's. */
async function childrenOf({ namespace, name }: Target): Promise<string[]> {
  const columns = 'custom-columns=KIND:.kind,NAME:.metadata.name,DELETED:.metadata.deletionTimestamp';
  const selector = `switchyard.dev/model-deployment=${name}`;
  const args = ['get', KINDS, '-n', namespace, '-l', selector, '-o', columns, '--no-headers', '--ignore-not-found'];
  const lines = (await stage.kube.kubectl(args)).split('\n').filter(Boolean);
  return lines.filter((line) => !line.startsWith('Pod ') || line.includes('<none>'));
}
