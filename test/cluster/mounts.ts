// Mount points below a folder: before a folder is removed there must be none, or what is mounted there would be removed as well.
import { readFile } from 'node:fs/promises';
import { tryRun } from './command.ts';

/** Mount points at or below `dir` in a /proc/PID/mountinfo, the deepest first. */
export function mountsBelow(mountinfo: string, dir: string): string[] {
  const points = mountinfo.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    return point === undefined
      ? []
      : [point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))];
  });
  return points.filter((point) => point === dir || point.startsWith(`${dir}/`)).sort((a, b) => b.length - a.length);
}

/** Unmounts everything at or below the folder. Throws when something stays mounted. */
export async function unmountBelow(dir: string): Promise<void> {
  const read = async (): Promise<string[]> => mountsBelow(await readFile('/proc/self/mountinfo', 'utf8'), dir);
  for (const point of await read()) await tryRun('umount', ['--lazy', point]);
  const left = await read();
  if (left.length > 0) throw new Error(`Still mounted: ${left.join(', ')}`);
}
