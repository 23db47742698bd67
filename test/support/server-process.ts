// The model server as a process of its own, to be ended the hard way, and built as it is for the image: so it starts four times as fast as from the sources.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { codeOf } from '../../inference/errors.ts';
import { projectRoot } from '../cluster/config.ts';
import { adminPort, poll } from './admin-port.ts';
import type { AdminPort } from './admin-port.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import './component-tier.ts';
import { TOKEN } from './inference-rig.ts';

export interface ServerProcess extends AdminPort {
  readonly pid: Child['pid'];
  readonly url: string;
  readonly output: () => string;
  readonly stop: Child['stop'];
  /** Samples without labels of GET /metrics. */
  metrics(names: readonly string[]): Promise<number[]>;
  /** Predictions answered, as the last line of a server that has stopped tells. */
  served(): number;
}

/** Below what a test file waits for. */
const BUILD_TIMEOUT_MS = 50_000;
const SETTINGS = {
  HOST: '127.0.0.1',
  PORT: '0',
  GRPC_PORT: '0',
  ADMIN_PORT: '0',
  ADMIN_TOKEN: TOKEN,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};

/** Builds the server; once for all files of a run, which wait for the first one that asks. Answers the folder. */
export async function buildServer(): Promise<string> {
  const dir = inject('buildDir');
  const dist = join(dir, 'dist');
  const failure = join(dir, 'failure');
  if (await isFirst(join(dir, 'begun'))) {
    await build(dist).catch((error: unknown) => writeFile(failure, String(error)));
  }
  const isDone = () => existsSync(dist) || existsSync(failure);
  await poll(isDone, () => 'Another test file was to build the server.');
  if (existsSync(failure)) throw new Error(`The server could not be built: ${await readFile(failure, 'utf8')}`);
  return dist;
}

/** Whether nobody has made this folder before. */
async function isFirst(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function build(dist: string): Promise<void> {
  const args = [join(projectRoot, 'build.js'), '--outdir', `${dist}.new`, 'inference'];
  await promisify(execFile)(process.execPath, args, { timeout: BUILD_TIMEOUT_MS });
  await rename(`${dist}.new`, dist);
}

/** Resolves when it listens. */
export async function startServer(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const main = join(await buildServer(), 'inference/main.js');
  const child = startChild(process.execPath, [main], { env: { ...SETTINGS, ...env } });
  const listening = () => /"port":(\d+),"adminPort":(\d+)/.exec(child.output());
  const output = () => child.output();
  await poll(() => listening() !== null, output);
  const [, port = '', admin = ''] = listening() ?? [];
  const url = `http://127.0.0.1:${port}`;
  return {
    ...adminPort(`http://127.0.0.1:${admin}`),
    pid: child.pid,
    url,
    output,
    stop: (signal) => child.stop(signal),
    async metrics(names) {
      const text = await (await fetch(`${url}/metrics`)).text();
      return names.map((name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? NaN));
    },
    served: () => Number(/"served":(\d+)/.exec(child.output())?.[1] ?? NaN),
  };
}
