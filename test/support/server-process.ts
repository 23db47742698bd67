// The model server as a process of its own, to be ended the hard way, and built as it is for the image: so it starts four times as fast as from the sources.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../cluster/config.ts';
import { adminPort, poll } from './admin-port.ts';
import type { AdminPort } from './admin-port.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { TOKEN } from './inference-rig.ts';

export interface ServerProgram {
  start(env: Readonly<Record<string, string>>): Promise<ServerProcess>;
  remove(): Promise<void>;
}

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

const SETTINGS = {
  HOST: '127.0.0.1',
  PORT: '0',
  GRPC_PORT: '0',
  ADMIN_PORT: '0',
  ADMIN_TOKEN: TOKEN,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};

export async function buildServer(): Promise<ServerProgram> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-build-'));
  await promisify(execFile)(process.execPath, [join(projectRoot, 'build.js'), '--outdir', dir, 'inference']);
  return {
    start: (env) => start(join(dir, 'inference/main.js'), env),
    remove: () => rm(dir, { recursive: true }),
  };
}

/** Resolves when it listens. */
async function start(main: string, env: Readonly<Record<string, string>>): Promise<ServerProcess> {
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
