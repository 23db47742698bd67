// What is known on disk about a running instance: `RUN/instance.json` says how to use it, `RUN/processes/` what to stop.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { runsDir, type Tier } from './config.ts';
import { identityOf } from './process.ts';

/** A started instance. Plain data: it goes to other processes as JSON. */
export interface Instance {
  readonly tier: Tier;
  readonly name: string;
  readonly runDir: string;
  readonly binaries: Binaries;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** `https://HOST:PORT`, as reached from the host. */
  readonly server: string;
  readonly auditLog: string;
  readonly s3: ObjectStoreAccess;
  /** Hash of everything that shapes the instance; another hash means that it has to be started anew. */
  readonly key: string;
}

/** The process that an instance belongs to: when it has ended, the instance is nobody's and goes with the next start. */
export interface Owner {
  readonly pid: number;
  readonly identity: string;
}

export interface ObjectStoreAccess {
  /** URL for pods. */
  readonly endpoint: string;
  /** URL for processes on the host. */
  readonly hostEndpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function runDirOf(name: string): string {
  return join(runsDir, name);
}

export async function readInstance(runDir: string): Promise<Instance | undefined> {
  const text = await readFile(join(runDir, 'instance.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Instance);
}

export async function writeInstance(instance: Instance): Promise<void> {
  await writeFile(join(instance.runDir, 'instance.json'), JSON.stringify(instance, undefined, 2), { mode: 0o600 });
}

/** Names of all run directories, running or not. */
export async function listRuns(): Promise<string[]> {
  const entries = await readdir(runsDir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Says who we are, so that a later run sees whether we still live. */
export async function ownIdentity(): Promise<Owner> {
  return { pid: process.pid, identity: (await identityOf(process.pid)) ?? 'unknown' };
}

export async function writeOwner(runDir: string, owner: Owner): Promise<void> {
  await writeFile(join(runDir, 'owner.json'), JSON.stringify(owner));
}

export async function readOwner(runDir: string): Promise<Owner | undefined> {
  const text = await readFile(join(runDir, 'owner.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Owner);
}

/** Empties the directory but for the logs, which move to `log.previous`. */
export async function freshRunDir(runDir: string): Promise<void> {
  await rm(join(runDir, 'log.previous'), { recursive: true, force: true });
  await rename(join(runDir, 'log'), join(runDir, 'log.previous')).catch(() => undefined);
  await emptyRunDir(runDir, ['log.previous']);
  await mkdir(join(runDir, 'log'), { recursive: true, mode: 0o700 });
}

/** Removes everything but the logs. */
export async function emptyRunDir(runDir: string, keep: readonly string[] = ['log', 'log.previous']): Promise<void> {
  for (const entry of await readdir(runDir).catch(() => [])) {
    if (!keep.includes(entry)) await rm(join(runDir, entry), { recursive: true, force: true });
  }
}
