import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { fixturePath } from '../test/support/inference-rig.ts';

/** Of our own environment: a server has no settings but those of its test. */
const KEPT = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };

let dir: string;
let taken: Server;
let takenPort: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-main-'));
  await writeFile(join(dir, 'file'), '');
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  takenPort = String((taken.address() as AddressInfo).port);
});
afterAll(async () => {
  taken.close();
  await rm(dir, { recursive: true });
});

/** The server as a process of its own, on ports that the system chooses. */
function start(env: Record<string, string>, ...args: readonly string[]): ChildProcess {
  const defaults = {
    HOST: '127.0.0.1',
    PORT: '0',
    GRPC_PORT: '0',
    ADMIN_PORT: '0',
    MODEL_PATH: fixturePath('iris-bare', 'model.joblib'),
  };
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args],
    {
      env: { ...KEPT, TMPDIR: dir, DRAIN_SECONDS: '0', ...defaults, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

const TOKEN = 'a-token-for-tests-only';

it.each([
  [
    'a port that is taken',
    () => ({ PORT: takenPort }),
    /^The server cannot start\. PORT: port \d+ of 127\.0\.0\.1 is taken/,
  ],
  [
    'an admin port that is taken',
    () => ({ ADMIN_PORT: takenPort, ADMIN_TOKEN: TOKEN }),
    /^The server cannot start\. ADMIN_PORT: port \d+ of 127\.0\.0\.1 is taken/,
  ],
  ['an address of another machine', () => ({ HOST: '192.0.2.1' }), /^The server cannot start\. HOST: cannot listen on/],
  ['a host that is none', () => ({ HOST: 'no such host' }), /^The server cannot start\. HOST: cannot listen on/],
  [
    'a file for a directory',
    () => ({ ARTIFACT_DIR: join(dir, 'file') }),
    /^The server cannot start\. ARTIFACT_DIR: .* is not a directory/,
  ],
  [
    'one port for both',
    () => ({ PORT: takenPort, ADMIN_PORT: takenPort, ADMIN_TOKEN: TOKEN }),
    /^The configuration is not usable\. ADMIN_PORT: must differ from PORT/,
  ],
])('says in one line why it cannot start: %s', async (_, env, line) => {
  const child = start(env());

  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);

  expect({ code: child.exitCode, lines: stderr.trimEnd().split('\n') }).toEqual({
    code: 1,
    lines: [expect.stringMatching(line) as string],
  });
  expect(stdout).not.toContain('stack');
});

it('says what it is, and starts nothing, when it is asked for help', async () => {
  const child = start({}, '--help');

  const [stdout] = await Promise.all([text(child.stdout!), once(child, 'close')]);

  expect(stdout).toContain('MODEL_PATH');
  expect(child.exitCode).toBe(0);
});

it('refuses arguments', async () => {
  const child = start({}, 'serve');

  const [stderr] = await Promise.all([text(child.stderr!), once(child, 'close')]);

  expect(stderr).toContain('takes no arguments');
  expect(child.exitCode).toBe(1);
});

it('takes the directory that nobody has chosen away when it ends', async () => {
  const child = start({});
  const logs = text(child.stdout!);
  const artifacts = async () => (await readdir(dir)).filter((name) => name.startsWith('switchyard-artifacts-'));

  await vi.waitFor(async () => expect(await artifacts()).toHaveLength(1), 10_000);
  child.kill('SIGTERM');
  await once(child, 'close');

  expect(await artifacts()).toEqual([]);
  expect(child.exitCode).toBe(0);
  expect(await logs).toContain('stopped');
});
