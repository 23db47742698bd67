// What the cluster tests share: the product installed once for all of them, and small ModelDeployments of their own.
import { openTier, uniqueName } from '../support/tier.ts';
import { readArtifact } from '../demo/artifacts.ts';
import {
  BUCKET,
  NAMESPACE,
  readExample,
  singleVariant,
  SYSTEM_NAMESPACE,
  type SingleOptions,
} from '../demo/manifests.ts';
import type { Target } from '../demo/reload.ts';
import { condition } from '../demo/kube.ts';
import { startTraffic } from '../demo/traffic.ts';
import type { Expectation, LoadReport } from '../load/contract.ts';
import type { Load } from '../load/load.ts';
import { install, openStage, untilLed, type Stage } from '../demo/stage.ts';

type Options = Partial<SingleOptions>;

/** The tier's cluster with the operator on it, and what one test file applies there. */
export interface Scene extends Stage {
  /**
   * A resource with the variant `blue` alone, under a name and a key of its own. Its artifact is uploaded, it is applied, and nothing is waited for.
   * `close` deletes it.
   */
  applySingle(prefix: string, options?: Options): Promise<Target>;
  /** Deletes what was applied, and these; their children go with them in the background. */
  close(...others: readonly Target[]): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const stage = openStage(await openTier(), new AbortController().signal);
  const path = `/apis/apps/v1/namespaces/${SYSTEM_NAMESPACE}/deployments/switchyard-operator`;
  if ((await stage.kube.read(path)) === undefined) await install(stage);
  else await untilLed(stage.kube);
  const applied: Target[] = [];
  return {
    ...stage,
    async applySingle(prefix, options) {
      const target = await applySingle(stage, prefix, options);
      applied.push(target);
      return target;
    },
    async close(...others) {
      await remove(stage, [...applied, ...others]);
      stage.store.close();
    },
  };
}

async function applySingle({ kube, store }: Stage, prefix: string, options: Options = {}): Promise<Target> {
  const name = uniqueName(prefix);
  const target = { namespace: NAMESPACE, name, variant: 'blue', bucket: BUCKET, key: `${name}/model.tar.gz` };
  await store.upload(target.bucket, target.key, (await readArtifact('basket-blue')).bytes);
  await kube.apply(singleVariant(await readExample(), { ...target, ...options }));
  return { ...target, name: options.name ?? name };
}

export async function untilReady({ kube }: Stage, targets: readonly Target[], seconds = 90): Promise<void> {
  await Promise.all(
    targets.map(({ namespace, name }) => kube.wait(namespace, `mdep/${name}`, 'condition=Ready', seconds)),
  );
}

async function remove({ kube }: Stage, targets: readonly Target[]): Promise<void> {
  for (const { namespace, name } of targets)
    await kube.kubectl(['delete', 'mdep', name, '--namespace', namespace, '--wait=false', '--ignore-not-found']);
}

/** Waits until a condition has the reason; returns its message. */
export async function untilReason({ kube }: Stage, target: Target, type: string, reason: string): Promise<string> {
  return kube.until(target, `${type} to say ${reason}`, (resource) => {
    const found = condition(resource, type);
    return found?.reason === reason ? found.message : undefined;
  });
}

/** Clients that expect the version of `basket-blue`. */
export const BLUE_ONLY: Expectation = { phase: 'only', versions: { blue: ['blue-1'] }, gained: [], settled: true };

/** A light load on one resource. */
export async function loadOn(stage: Stage, { namespace, name }: Target): Promise<Load> {
  const size = { connections: 50, perSecond: 200, keys: 1000 };
  return startTraffic(stage, { ...size, namespace, name, expectation: BLUE_ONLY });
}

/** Failed requests by reason, and the first of them in full. */
export function failuresOf({ failures, samples }: LoadReport): string[] {
  return [...Object.entries(failures).map(([reason, count]) => `${count} × ${reason}`), ...samples];
}
