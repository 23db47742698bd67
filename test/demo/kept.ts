// The cluster that `--keep` or `npm run cluster -- up` has left: somebody's work may be in it.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingPart } from '../cluster/missing.ts';
import { isAlive, listDaemons } from '../cluster/process.ts';
import { readOwner, runDirOf } from '../cluster/state.ts';

/** When the cluster came up that was left for somebody; undefined when none runs, or only one that goes with its own run. */
export async function keptSince(runDir: string): Promise<Date | undefined> {
  if ((await readOwner(runDir)) !== undefined) return undefined;
  const alive = await Promise.all((await listDaemons(runDir)).map(isAlive));
  if (!alive.includes(true)) return undefined;
  return (await stat(join(runDir, 'instance.json')).catch(() => undefined))?.mtime;
}

/** Throws {@link MissingPart}, with the way out, when a new demo would remove what somebody has kept. */
export async function refuseOverKept(runDir = runDirOf('cluster')): Promise<void> {
  const since = await keptSince(runDir);
  if (since === undefined) return;
  throw new MissingPart(
    `a cluster is up since ${since.toISOString().slice(0, 19)}Z that \`--keep\` or \`npm run cluster -- up\` has left. ` +
      '`npm run demo -- down` removes it with everything in it.',
  );
}
