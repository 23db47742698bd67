// The model server as a process of its own, to be ended the hard way, and built as it is for the image: so it starts four times as fast as from the sources.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
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
  const dist = join(inject('buildDir'), 'dist');
  const isFirst = await mkdir(join(inject('buildDir'), 'begun')).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    await promisify(execFile)(process.execPath, [
      join(projectRoot, 'build.js'),
      '--outdir',
      `${dist}.new`,
      'inference',
    ]);
    await rename(`${dist}.new`, dist);
  }
  await poll(
    () => existsSync(dist),
    () => 'Another test file was to build the server.',
  );
  return dist;
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
