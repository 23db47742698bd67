// Takes an instance down, whole or half, running or killed: everything is found by what is on disk and by names that only we use.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { killQuietly, removeCgroup } from './cgroup.ts';
import { cgroups, isRoot, socketsDir, type Tier } from './config.ts';
import { findShims } from './containerd.ts';
import { MissingPart } from './missing.ts';
import { unmountBelow } from './mounts.ts';
import { processesInside, removeNetwork } from './network.ts';
import { listDaemons, stopDaemon, isAlive } from './process.ts';
import { emptyRunDir, listRuns, readOwner, runDirOf } from './state.ts';

const GRACE_MS = 500;

/** Stops and removes everything of the instance but its logs. Does nothing when there is nothing. */
export async function cleanUp(name: string, tier: Tier): Promise<void> {
  // Only root can have started one.
  if (tier === 'cluster' && !isRoot) return;
  const runDir = runDirOf(name);
  if (tier === 'cluster') await refuseForeign(name, runDir);
  const daemons = await listDaemons(runDir);
  const kubelet = daemons.filter((record) => record.name === 'kubelet');
  // The kubelet first: it would start again what we stop.
  for (const record of kubelet) await stopDaemon(record, GRACE_MS);
  if (tier === 'cluster') await stopPods(name);
  await Promise.all(daemons.map(async (record) => stopDaemon(record, GRACE_MS)));
  if (tier === 'cluster') await cleanUpNode(name);
  if (process.platform === 'linux') await unmountBelow(runDir);
  await emptyRunDir(runDir);
}

/** Says on the machine which run directory the network namespace belongs to. */
export async function claimMachine(name: string, runDir: string): Promise<void> {
  await mkdir(join(socketsDir, name), { recursive: true, mode: 0o700 });
  await writeFile(join(socketsDir, name, 'run-directory'), runDir);
}

/** There is one network namespace, but every user and every XDG_CACHE_HOME has run directories. A cluster that runs from another one is not ours. */
async function refuseForeign(name: string, runDir: string): Promise<void> {
  const claimed = await readFile(join(socketsDir, name, 'run-directory'), 'utf8').catch(() => runDir);
  if (claimed === runDir) return;
  const daemons = await listDaemons(claimed);
  const alive = await Promise.all(daemons.map(isAlive));
  if (!alive.includes(true)) return;
  throw new MissingPart(`A cluster runs already, started from another cache: ${claimed}. Take that one down first.`);
}

async function stopPods(name: string): Promise<void> {
  for (const pid of await findShims(name)) killQuietly(pid);
  await removeCgroup(cgroups.pods);
}

async function cleanUpNode(name: string): Promise<void> {
  for (const pid of await processesInside()) killQuietly(pid);
  for (const pid of await findShims(name)) killQuietly(pid);
  await removeCgroup(cgroups.pods);
  await removeNetwork();
  await rm(join(socketsDir, name), { recursive: true, force: true });
}

/** Removes the instances of test runs that were killed. The logs of the last ones stay. */
export async function sweepOrphans(): Promise<void> {
  for (const name of await listRuns()) {
    const owner = await readOwner(runDirOf(name));
    if (owner === undefined || (await isAlive(owner))) continue;
    await cleanUp(name, name === 'cluster' ? 'cluster' : 'api');
  }
}
