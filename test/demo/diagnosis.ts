// When something went wrong: what the cluster looks like, and the logs of all pods in a folder that outlives the cluster.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeCrashes } from './crashes.ts';
import { describeStatus } from './kube.ts';
import { NAMESPACE, SYSTEM_NAMESPACE } from './manifests.ts';
import type { Stage } from './stage.ts';

const NAMESPACES = [SYSTEM_NAMESPACE, NAMESPACE] as const;

/** Saves logs and returns a text for people. Whatever cannot be had is left out. */
export async function diagnose({ cluster, kube }: Stage): Promise<string> {
  const dir = join(cluster.runDir, 'log/pods');
  await mkdir(dir, { recursive: true });
  for (const namespace of NAMESPACES) await saveLogs(namespace, dir, kube);
  const tell = async (...args: string[]): Promise<string> =>
    kube.kubectl(args).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  const resources = await kube.resource(NAMESPACE, 'retail').catch(() => undefined);
  return [
    await tell('get', 'mdep', '--all-namespaces', '--output=wide'),
    resources === undefined ? '' : `ml/retail: ${describeStatus(resources.status)}\n`,
    await tell('get', 'pods', '--all-namespaces', '--output=wide'),
    await tell('get', 'events', '--namespace', NAMESPACE, '--sort-by=.metadata.creationTimestamp'),
    await describeCrashes(async (args) => kube.kubectl(args)),
    `Logs of the pods: ${dir}\nLogs of the cluster: ${join(cluster.runDir, 'log')}\n`,
  ].join('\n');
}

async function saveLogs(namespace: string, dir: string, kube: Stage['kube']): Promise<void> {
  const pods = await kube.pods(namespace, '').catch(() => []);
  for (const { name } of pods) {
    const args = ['logs', '--namespace', namespace, name, '--all-containers', '--prefix', '--tail=-1'];
    const text = await kube.kubectl(args).catch(() => '');
    await writeFile(join(dir, `${namespace}-${name}.log`), text);
  }
}
