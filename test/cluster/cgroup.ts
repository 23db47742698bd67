// The cgroups below which our pods and containers live: a clean-up empties and removes them, and so misses none and hits nobody else's.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';

/** One folder for each controller under cgroup v1, one in all under v2. */
async function hierarchies(): Promise<string[]> {
  if (await isUnified()) return [ROOT];
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(ROOT, entry.name));
}

async function isUnified(): Promise<boolean> {
  return readFile(join(ROOT, 'cgroup.controllers')).then(
    () => true,
    () => false,
  );
}

/** Makes the cgroup in every hierarchy. The kubelet refuses to start when its own is missing. */
export async function createCgroup(name: string): Promise<void> {
  if (await isUnified()) {
    const controllers = (await readFile(join(ROOT, 'cgroup.controllers'), 'utf8')).trim().split(' ');
    await writeFile(join(ROOT, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
  }
  for (const hierarchy of await hierarchies()) {
    const dir = join(hierarchy, name);
    await mkdir(dir, { recursive: true });
    // A cpuset without processors and memory takes no process.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const inherited = await readFile(join(hierarchy, file), 'utf8').catch(() => undefined);
      if (inherited !== undefined && hierarchy !== ROOT) await writeFile(join(dir, file), inherited.trim());
    }
  }
}

/** Kills every process in it and removes it. All of them are ours: nobody else makes a cgroup of this name. */
export async function removeCgroup(name: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const dirs = (await Promise.all((await hierarchies()).map(async (root) => listTree(join(root, name))))).flat();
    if (dirs.length === 0) return;
    for (const dir of dirs) await killAll(dir);
    for (const dir of dirs) await rmdir(dir).catch(() => undefined);
    await sleep(20);
  }
  throw new Error(`The processes of the cgroup ${name} do not end.`);
}

/** The folder and all below it, the deepest first. */
async function listTree(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map(async (entry) => listTree(join(dir, entry.name))),
  );
  return [...below.flat(), dir];
}

async function killAll(dir: string): Promise<void> {
  const listed = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
  for (const pid of listed.split('\n').filter(Boolean)) killQuietly(Number(pid));
}

/** SIGKILL to one process that may have ended in between. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
