// What the factors of memory.ts were measured with: the most memory that a real server takes while it loads a file of 20 MB.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aBooster } from '../../test/support/a-booster.ts';
import { poll } from '../../test/support/admin-port.ts';
import { replaceFile } from '../../test/support/replace-file.ts';
import { buildServer, startServer } from '../../test/support/server-process.ts';
import type { ServerProcess } from '../../test/support/server-process.ts';
import { peakOf } from './memory.ts';

const SIZE = 20e6;
/** More would refuse models that fit. */
const MOST_BEYOND = 2;
/** Makes the kernel count VmHWM anew: proc(5). */
const FORGET_PEAK = '5';

let dir: string;
let server: ServerProcess | undefined;

beforeAll(buildServer);
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-memory-'));
});
afterEach(async () => {
  await server?.stop('SIGKILL');
  await rm(dir, { recursive: true });
});

/** In bytes: VmRSS is what a process has in memory, VmHWM the most that it had. */
async function memory(field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${server?.pid ?? 0}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? NaN) * 1024;
}

describe.runIf(process.platform === 'linux')('loading', () => {
  it.each(['model.json', 'model.ubj', 'model.txt'] as const)(
    '%s takes no more memory than the check before it assumes, and not much less',
    async (name) => {
      const path = join(dir, name);
      await replaceFile(path, aBooster(name, 1));
      const running = await startServer({ MODEL_PATH: path });
      server = running;
      await poll(async () => (await running.info()).version !== null, running.output);
      const peakOfReload = async (sequence: number, size: number) => {
        await replaceFile(path, aBooster(name, size));
        const before = await memory('VmRSS');
        await writeFile(`/proc/${running.pid ?? 0}/clear_refs`, FORGET_PEAK);
        const { status } = await running.reload({ sequence, key: path, wait: 60 });
        expect(status).toBe('loaded');
        return (await memory('VmHWM')) - before;
      };

      const first = await peakOfReload(1, SIZE);
      const second = await peakOfReload(2, SIZE - 1000);

      expect(peakOf(name, SIZE) / first).toBeGreaterThan(1);
      expect(peakOf(name, SIZE) / first).toBeLessThan(MOST_BEYOND);
      expect(peakOf(name, SIZE) / second).toBeGreaterThan(1);
    },
    60_000,
  );
});
