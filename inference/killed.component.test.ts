// kill -9 at every stage of a load: a restart on the same disk serves what the pod is pinned to, and nothing half done is left.
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { aBooster } from '../test/support/a-booster.ts';
import { poll } from '../test/support/admin-port.ts';
import { anArchive } from '../test/support/an-archive.ts';
import { startFakeS3 } from '../test/support/fake-s3.ts';
import type { FakeS3 } from '../test/support/fake-s3.ts';
import { fixture } from '../test/support/inference-rig.ts';
import { KEY, pinTo, pinnedEnv } from '../test/support/reload-rig.ts';
import { buildServer, startServer } from '../test/support/server-process.ts';
import type { ServerProcess } from '../test/support/server-process.ts';

const HALF = 30_000;
// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let s3: FakeS3;
let dir: string;
let env: Record<string, string>;
let server: ServerProcess | undefined;

beforeAll(async () => {
  [s3] = await Promise.all([startFakeS3(), buildServer()]);
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-killed-'));
  env = { ...(await pinnedEnv(s3, dir)), ARTIFACT_DIR: join(dir, 'artifacts') };
});
afterEach(async () => {
  await server?.stop('SIGKILL');
  await rm(dir, { recursive: true });
});
afterAll(() => s3.close());

const said = () => server?.output() ?? '';
const files = () => readdir(join(dir, 'artifacts')).catch(() => []);
/** The first file whose name fits, once there is one. */
async function file(name: RegExp): Promise<string> {
  let found: string | undefined;
  await poll(async () => (found = (await files()).find((each) => name.test(each))) !== undefined, said);
  return join(dir, 'artifacts', found!);
}

async function start(): Promise<ServerProcess> {
  return (server = await startServer(env));
}

async function serving(): Promise<ServerProcess> {
  const started = await start();
  await poll(async () => (await started.info()).version !== null, started.output);
  return started;
}

/** Asks for another version and kills the server when that is half there. */
async function killedInDownload(ask: () => Promise<unknown>): Promise<string> {
  s3.faults.push({ kind: 'stall', after: HALF });
  const asked = ask().catch(() => undefined);
  const part = await file(/\.part$/);
  await poll(async () => (await stat(part)).size === HALF, said);
  await server?.stop('SIGKILL');
  await asked;
  return part;
}

async function killedAfterSwap() {
  const running = await serving();
  const next = s3.put('models', KEY, fixture('basket-blue-2'));
  const { active } = await running.reload({ sequence: 2, revision: 'r2', key: KEY, ...next });
  await running.stop('SIGKILL');
  expect(active?.version).toBe('blue-2');
  return next;
}

const expectPinned = () => expectServed({ version: 'blue-1', revision: 'r1' });

/** The restarted server serves this version, and has its file alone. */
async function expectServed(wanted: { readonly version: string; readonly revision: string }): Promise<void> {
  const restarted = await serving();
  const { version, artifact } = await restarted.info();

  expect([version, artifact?.revision]).toEqual([wanted.version, wanted.revision]);
  await poll(
    async () => (await files()).length === 1,
    () => 'files are left',
  );
  expect(await files()).toEqual([artifact?.sha256]);
}

it('during the download of the first version', async () => {
  await killedInDownload(start);

  await expectPinned();
});

it('during the download of the next version', async () => {
  const running = await serving();
  const next = s3.put('models', KEY, fixture('basket-blue-2'));
  await killedInDownload(() => running.reload({ sequence: 2, revision: 'r2', key: KEY, ...next }));
  const before = s3.requests.length;

  await expectPinned();
  expect(s3.requests.length).toBe(before); // from the disk
});

it('after the download, before the file has its name', async () => {
  const running = await serving();
  const next = s3.put('models', KEY, fixture('basket-blue-2'));
  const part = await killedInDownload(() => running.reload({ sequence: 2, key: KEY, ...next }));
  await writeFile(part, fixture('basket-blue-2'));

  await expectPinned();
});

it('while the file is read', async () => {
  const running = await serving();
  const slow = await anArchive([['model.json', aBooster('model.json', 16e6)]]);
  const next = s3.put('models', KEY, slow);
  const asked = running.reload({ sequence: 2, revision: 'r2', key: KEY, ...next }).catch(() => undefined);
  await file(new RegExp(next.sha256));
  await running.stop('SIGKILL');

  expect(await asked).toBeUndefined();
  await expectPinned();
});

it('after the swap, before the pin has moved', async () => {
  const next = await killedAfterSwap();
  const before = s3.requests.length;

  await expectPinned();
  expect(s3.requests.length).toBe(before); // the version before is kept on the disk
  expect(await files()).not.toContain(next.sha256);
});

it('after the swap, when the pin has moved', async () => {
  const next = await killedAfterSwap();
  env = { ...env, ...(await pinTo(s3, dir, { revision: 'r2', sequence: 2 }, next)) };
  const before = s3.requests.length;

  await expectServed({ version: 'blue-2', revision: 'r2' });
  expect(s3.requests.length).toBe(before);
});
