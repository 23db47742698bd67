// Processes of a pod, as the node's kernel sees them.
import { readdir, readFile } from 'node:fs/promises';
import type { PodView } from './kube.ts';

/** Process ids of a pod's containers whose command line contains `program`, such as `/app/operator/main.js`. */
export async function processesOf({ uid }: Pick<PodView, 'uid'>, program: string): Promise<number[]> {
  const entries = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    entries.map(async (pid) => {
      const [cgroup, command] = await Promise.all(['cgroup', 'cmdline'].map((file) => readProc(pid, file)));
      return cgroup?.includes(`pod${uid}`) === true && command?.includes(program) === true ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

/** Empty for a process that has just ended. */
async function readProc(pid: string, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
