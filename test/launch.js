// Entry of every npm script: works on the machine's own Node (20 or newer) with nothing installed. Installs the dependencies when they are missing or
// older than package-lock.json, then runs the given program on the project's own Node, which node_modules carries.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const node = join(root, 'node_modules/.bin/node');
// npm keeps here what it has really installed; it is written last.
const installedLock = join(root, 'node_modules/.package-lock.json');

/** Whether node_modules holds what package-lock.json asks for, whoever has installed it. */
function installed() {
  if (!existsSync(node) || !existsSync(installedLock)) return false;
  const present = JSON.parse(readFileSync(installedLock, 'utf8')).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages);
  return wanted.every(
    ([path, { version, optional }]) => path === '' || optional === true || present[path]?.version === version,
  );
}

function install() {
  console.error('Installing dependencies (npm ci, about 30 s) …');
  spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
}

/** npm ci begins by removing node_modules: two at once would pull the tree from under each other. */
function installOnce() {
  const path = join(tmpdir(), `switchyard-install-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`);
  while (!take(path)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  try {
    if (!installed()) install();
  } finally {
    rmSync(path, { force: true });
  }
  if (installed()) return;
  console.error('npm ci failed: see its message above. It needs access to an npm registry.');
  process.exit(1);
}

/** Makes the lock file, or removes that of a process that has died. Says whether it is ours. */
function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    if (holder > 0 && !isRunning(holder)) rmSync(path, { force: true });
    return false;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

if (!installed()) installOnce();
const [program, ...args] = process.argv.slice(2);
// What has been compiled once, types taken out, is not compiled again: a program starts in half the time, as do all that it starts.
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node'), ...process.env };
const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(root, program), ...args], {
  stdio: 'inherit',
  env,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
