// The surroundings in which the product runs: cluster, store, namespaces, operator. Shared by the demo, the benchmarks and the cluster tests.
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { projectRoot } from '../cluster/config.ts';
import { isDockerUp, stopDockerWhenIdle } from '../cluster/docker.ts';
import { provision } from '../cluster/provision.ts';
import { waitFor } from '../cluster/process.ts';
import { asStep, type OnProgress } from '../progress.ts';
import { diagnose } from './diagnosis.ts';
import { Kube } from './kube.ts';
import {
  BUCKET,
  NAMESPACE,
  objectStoreManifests,
  PLAIN_BUCKET,
  SYSTEM_NAMESPACE,
  tenantManifests,
} from './manifests.ts';
import { operatorPods } from './promotions.ts';
import { Store } from './store.ts';

export interface Stage {
  readonly cluster: Cluster;
  readonly kube: Kube;
  readonly store: Store;
  readonly signal: AbortSignal;
}

/** A stage that goes with this process. */
export interface OwnStage extends Stage {
  /** Takes everything down that was started for it, the logs excepted; with `keep` nothing. */
  close(): Promise<void>;
}

export interface StageOptions {
  /** Leaves the cluster up when this process ends. */
  readonly keep: boolean;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

/** A fresh cluster with the images of this checkout, and the product installed on it. */
export async function setUpStage({ keep, onProgress, signal }: StageOptions): Promise<OwnStage> {
  const dockerWasUp = await isDockerUp();
  const { cluster } = await provision({ owned: !keep, fresh: true, onProgress, signal });
  try {
    const stage = openStage(cluster, signal);
    const close = async (): Promise<void> => {
      stage.store.close();
      if (keep) return;
      await cluster.down();
      if (!dockerWasUp) await stopDockerWhenIdle(onProgress);
    };
    await asStep(onProgress, { step: 'Installing the operator', expectedSeconds: 8 }, async () => install(stage));
    return { ...stage, close };
  } catch (error) {
    const text = signal.aborted ? '' : await diagnose(openStage(cluster, signal)).catch(() => '');
    if (!keep) await cluster.down();
    signal.throwIfAborted();
    throw new Error(`The surroundings could not be set up.\n${text}`, { cause: error });
  }
}

export function openStage(cluster: Cluster, signal: AbortSignal): Stage {
  return { cluster, signal, kube: new Kube(cluster, signal), store: new Store(cluster.s3) };
}

/** Buckets, namespaces, credentials, then `kubectl apply -k config/default`; ends when one of the operator's pods leads and all are ready. */
export async function install({ cluster, kube, store }: Stage): Promise<void> {
  await store.makeBucket(BUCKET, { versioned: true });
  await store.makeBucket(PLAIN_BUCKET, { versioned: false });
  await kube.apply(...objectStoreManifests(cluster.s3.endpoint), ...tenantManifests(NAMESPACE, cluster.s3));
  await kube.kubectl(['apply', '--kustomize', join(projectRoot, 'config/default')]);
  await kube.kubectl(
    ['rollout', 'status', '--namespace', SYSTEM_NAMESPACE, 'deployment/switchyard-operator', '--timeout=90s'],
    undefined,
    95_000,
  );
  await untilLed(kube);
}

/** Waits until somebody holds the lease. Returns the name of the pod. */
export async function untilLed(kube: Kube, seconds = 30, than?: string): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM_NAMESPACE}/leases/switchyard-operator`;
  const holder = async (): Promise<string | undefined> => {
    const body = await kube.read(path);
    const lease = JSON.parse(body ?? '{}') as { spec?: { holderIdentity?: string } };
    const identity = lease.spec?.holderIdentity;
    const pods = await operatorPods(kube);
    return pods.find(({ name }) => name !== than && identity?.startsWith(name) === true)?.name;
  };
  return waitFor(holder, { what: 'an operator that leads', deadlineMs: seconds * 1000, intervalMs: 200 });
}
