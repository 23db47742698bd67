// What the factors of memory.ts were measured with: the most memory that a real server takes while it loads a file of 20 MB.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
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
      const before = await memory('VmRSS');
      await replaceFile(path, aBooster(name, SIZE));

      const { status } = await running.reload({ sequence: 1, key: path, wait: 60 });
      const peak = (await memory('VmHWM')) - before;

      expect(status).toBe('loaded');
      expect(peakOf(name, SIZE) / peak).toBeGreaterThan(1);
      expect(peakOf(name, SIZE) / peak).toBeLessThan(MOST_BEYOND);
    },
    60_000,
  );
});
