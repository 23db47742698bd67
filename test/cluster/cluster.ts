// The library: start an instance, use it, take it down. The command line, the tests and the demo share it.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isServerReady } from './api-client.ts';
import { ensureBinaries } from './binaries.ts';
import { bringUp } from './bring-up.ts';
import { claimMachine, cleanUp, sweepOrphans } from './cleanup.ts';
import { machineLocksDir, network, type Tier } from './config.ts';
import { ensurePackages } from './debian.ts';
import { openCluster, type Cluster } from './handle.ts';
import { acquireLock, type Release } from './lock.ts';
import { isAlive, listDaemons } from './process.ts';
import { freshRunDir, ownIdentity, readInstance, runDirOf, writeInstance, writeOwner, type Instance } from './state.ts';
import { asStep, type OnProgress } from '../progress.ts';

export { openRunningCluster, type Cluster, type Restartable } from './handle.ts';

export interface StartOptions {
  readonly tier: Tier;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
  /** Folder with etcd, kube-apiserver and so on; comes before KUBEBUILDER_ASSETS, the cache and the Go build. */
  readonly kubeBin?: string | undefined;
  /** Take down what runs and start anew. Otherwise a healthy instance is used as it is. */
  readonly fresh?: boolean;
  /**
   * The instance is ours alone and goes with this process: nobody else may use or stop it until `down()`, and when we are killed, the next start removes
   * it. Instances of tier `api` then get a name of their own, so that several runs have one each.
   */
  readonly owned?: boolean;
  /** etcd syncs every write to the disk. For tests in which the machine crashes. */
  readonly durable?: boolean;
}

/** Starts an instance, or takes the one that is up. Throws {@link MissingPart} when this machine cannot run the tier. */
export async function startCluster(options: StartOptions): Promise<Cluster> {
  const { tier, onProgress, signal } = options;
  await ensurePackages(tier, onProgress, signal);
  const binaries = await ensureBinaries(options);
  await sweepOrphans();
  const name = tier === 'api' && options.owned === true ? `api-${String(process.pid)}` : tier;
  const release = await lockInstance(name, onProgress, signal);
  try {
    const key = keyOf({ tier, binaries, network, durable: options.durable === true });
    const running = await readInstance(runDirOf(name));
    const usable = options.fresh !== true && running?.key === key && (await isHealthy(running));
    const instance = usable
      ? running
      : await asStep(
          onProgress,
          { step: `Starting the ${tier} instance`, expectedSeconds: tier === 'api' ? 4 : 10 },
          async () => startAnew({ ...options, name, key, binaries }),
        );
    if (options.owned !== true) await release();
    return openCluster(instance, options.owned === true ? release : undefined);
  } catch (error) {
    await release();
    throw error;
  }
}

async function startAnew(options: StartOptions & Pick<Instance, 'name' | 'key' | 'binaries'>): Promise<Instance> {
  const { name, tier, key, binaries, signal } = options;
  const runDir = runDirOf(name);
  await cleanUp(name, tier);
  await freshRunDir(runDir);
  if (tier === 'cluster') await claimMachine(name, runDir);
  const owner = options.owned === true ? await ownIdentity() : undefined;
  if (owner !== undefined) await writeOwner(runDir, owner);
  try {
    const access = await bringUp({ name, tier, runDir, binaries, durable: options.durable === true, signal });
    const instance = { tier, name, runDir, binaries, key, ...access };
    await writeInstance(instance);
    return instance;
  } catch (error) {
    await cleanUp(name, tier);
    throw error;
  }
}

/** Whether all its programs run and the API server is ready. */
export async function isHealthy(instance: Instance): Promise<boolean> {
  const daemons = await listDaemons(instance.runDir);
  const alive = await Promise.all(daemons.map(isAlive));
  return daemons.length > 0 && alive.every(Boolean) && (await isServerReady(instance.server));
}

/** Takes down the instance that `npm run cluster -- up` starts. Says whether there was one, running or dead. */
export async function stopCluster(tier: Tier, onProgress: OnProgress, signal?: AbortSignal): Promise<boolean> {
  const release = await lockInstance(tier, onProgress, signal);
  try {
    const wasUp = (await listDaemons(runDirOf(tier))).length > 0;
    await sweepOrphans();
    await cleanUp(tier, tier);
    return wasUp;
  } finally {
    await release();
  }
}

export interface ClusterStatus {
  readonly instance: Instance | undefined;
  readonly healthy: boolean;
  readonly daemons: readonly { readonly name: string; readonly pid: number; readonly alive: boolean }[];
}

/** What is known of the instance that `npm run cluster -- up` starts. */
export async function clusterStatus(tier: Tier): Promise<ClusterStatus> {
  const runDir = runDirOf(tier);
  const instance = await readInstance(runDir);
  const records = await listDaemons(runDir);
  const daemons = await Promise.all(
    records.map(async (record) => ({ name: record.name, pid: record.pid, alive: await isAlive(record) })),
  );
  return { instance, healthy: instance !== undefined && (await isHealthy(instance)), daemons };
}

async function lockInstance(name: string, onProgress: OnProgress, signal: AbortSignal | undefined): Promise<Release> {
  return acquireLock(join(machineLocksDir, `instance-${name}`), {
    what: `uses the instance ${name}`,
    onProgress,
    signal,
  });
}

function keyOf(shape: object): string {
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 16);
}
