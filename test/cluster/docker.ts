// dockerd of our own, for building the images and for tests of them: own data, own socket, own bridge, no firewall rules.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { killQuietly, removeCgroup } from './cgroup.ts';
import { run, tryRun, type RunOptions } from './command.ts';
import { cacheDir, cgroups, dockerHost, dockerSocket, isRoot, machineLocksDir, network, socketsDir } from './config.ts';
import { acquireLock, withLock } from './lock.ts';
import { unmountBelow } from './mounts.ts';
import { findByArguments, forgetDaemon, isAlive, readDaemon, startDaemon, stopDaemon, waitFor } from './process.ts';
import { asStep, type OnProgress } from '../progress.ts';

const runDir = join(cacheDir, 'docker');
const execRoot = join(socketsDir, 'docker');
const NAME = 'dockerd';

/** For clients of our dockerd, testcontainers included: its helper container would have to be pulled. */
export const dockerEnv: Readonly<Record<string, string>> = {
  DOCKER_HOST: dockerHost,
  TESTCONTAINERS_RYUK_DISABLED: 'true',
};

/** Runs a docker command against our dockerd. */
export async function docker(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run('docker', args, { timeoutMs: 300_000, ...options, env: { ...dockerEnv, ...options.env } });
}

/** Starts dockerd unless it runs. */
export async function startDocker(onProgress: OnProgress, signal?: AbortSignal): Promise<void> {
  await withLock(lockPath, { what: 'starts dockerd', onProgress, signal }, async () => {
    if (await isDockerUp()) return;
    await asStep(onProgress, { step: 'Starting dockerd', expectedSeconds: 3 }, async () => start(signal));
  });
}

const lockPath = join(machineLocksDir, 'docker');

export async function isDockerUp(): Promise<boolean> {
  return tryRun('docker', ['version'], { env: dockerEnv, timeoutMs: 5_000 });
}

async function start(signal: AbortSignal | undefined): Promise<void> {
  await cleanUp();
  await mkdir(runDir, { recursive: true });
  await mkdir(execRoot, { recursive: true });
  // Else it would read the system's own /etc/docker/daemon.json.
  await writeFile(join(runDir, 'daemon.json'), '{}\n');
  await run('ip', ['link', 'add', network.dockerBridge, 'type', 'bridge']);
  await run('ip', ['address', 'add', network.dockerAddress, 'dev', network.dockerBridge]);
  await run('ip', ['link', 'set', network.dockerBridge, 'up']);
  const record = await startDaemon(runDir, { name: NAME, command: 'dockerd', args: daemonArgs() });
  await waitFor(isDockerUp, { what: 'dockerd', deadlineMs: 60_000, signal, daemon: { runDir, record } });
}

/** Without firewall rules containers reach the host and each other but nothing beyond; published ports go through docker's own proxy. */
function daemonArgs(): string[] {
  return [
    `--config-file=${join(runDir, 'daemon.json')}`,
    `--data-root=${join(runDir, 'data')}`,
    `--exec-root=${execRoot}`,
    `--pidfile=${join(socketsDir, 'docker.pid')}`,
    `--host=${dockerHost}`,
    `--bridge=${network.dockerBridge}`,
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--storage-driver=overlay2',
    `--cgroup-parent=/${cgroups.docker}`,
  ];
}

/** Stops dockerd unless somebody's container runs, which a build in progress has as well. Images stay for the next time. */
export async function stopDockerWhenIdle(onProgress: OnProgress): Promise<void> {
  if (!isRoot) return;
  const release = await acquireLock(lockPath, { what: 'uses dockerd', onProgress });
  try {
    const containers = (await isDockerUp()) ? await docker(['ps', '--quiet']) : '';
    if (containers === '') await cleanUp();
  } finally {
    await release();
  }
}

async function cleanUp(): Promise<void> {
  const record = await readDaemon(runDir, NAME);
  if (record !== undefined && (await isAlive(record))) await stopDaemon(record, 20_000);
  await forgetDaemon(runDir, NAME);
  // Its containerd and the shims: they live on when dockerd is killed, and all name our folder.
  for (const pid of await findByArguments((args) => args.some((arg) => arg.startsWith(`${execRoot}/`))))
    killQuietly(pid);
  await removeCgroup(cgroups.docker);
  await unmountBelow(join(runDir, 'data'));
  await unmountBelow(execRoot);
  await tryRun('ip', ['link', 'delete', network.dockerBridge]);
  await rm(execRoot, { recursive: true, force: true });
  await rm(dockerSocket, { force: true });
  await rm(join(socketsDir, 'docker.pid'), { force: true });
}
