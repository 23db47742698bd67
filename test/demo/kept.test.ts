import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ownIdentity } from '../cluster/state.ts';
import { keptSince, refuseOverKept } from './kept.ts';

const SINCE = new Date('2026-01-02T03:04:05Z');

let runDir: string;

/** What a cluster leaves on disk; we ourselves stand for its one process. */
beforeEach(async () => {
  runDir = await mkdtemp(join(tmpdir(), 'switchyard-kept-'));
  await mkdir(join(runDir, 'processes'));
  await writeFile(join(runDir, 'processes/etcd.json'), JSON.stringify(await ownIdentity()));
  await writeFile(join(runDir, 'instance.json'), '{}');
  await utimes(join(runDir, 'instance.json'), SINCE, SINCE);
});

afterEach(async () => {
  await rm(runDir, { recursive: true, force: true });
});

it('refuses to remove what was kept, and says since when it is up and what removes it', async () => {
  await expect(refuseOverKept(runDir)).rejects.toThrow(/up since 2026-01-02T03:04:05Z .*npm run demo -- down/);
});

it('takes no cluster of another run for a kept one', async () => {
  await writeFile(join(runDir, 'owner.json'), JSON.stringify(await ownIdentity()));

  expect(await keptSince(runDir)).toBeUndefined();
});

it('takes nothing whose processes have ended for a kept one', async () => {
  await writeFile(join(runDir, 'processes/etcd.json'), JSON.stringify({ pid: process.pid, identity: 'before' }));

  expect(await keptSince(runDir)).toBeUndefined();
  await expect(refuseOverKept(runDir)).resolves.toBeUndefined();
});
