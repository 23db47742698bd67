// The adapter as it runs in a pod: a process of its own, started with nothing but its environment.
import { join } from 'node:path';
import { projectRoot } from '../cluster/config.ts';
import { freePorts } from '../cluster/ports.ts';
import type { ModelInfo } from '../../inference/contract.ts';
import { adminPort, poll } from './admin-port.ts';
import type { AdminPort } from './admin-port.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { TOKEN } from './inference-rig.ts';

const MAIN = join(projectRoot, 'inference/main.ts');

export interface AdapterProcess extends Pick<AdminPort, 'info' | 'reload'> {
  start(): void;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  output(): string;
  /** Looks at GET /model/info until `check` says yes. */
  until(what: string, check: (info: ModelInfo) => boolean): Promise<void>;
  /** Waits until the model file is in its place, as the kubelet does before it starts the other container. */
  untilStarted(): Promise<void>;
}

/** Not started yet. */
export async function adapterProcess(env: Record<string, string>): Promise<AdapterProcess> {
  const [port = 0, second = 0] = await freePorts(2);
  const all = { ...SETTINGS, PORT: String(port), ADMIN_PORT: String(second), ...env };
  let child: Child | undefined;
  const output = () => child?.output() ?? '';
  const { info, reload } = adminPort(`http://127.0.0.1:${second}`);
  return {
    start() {
      child = startChild(process.execPath, [MAIN], { env: all });
    },
    stop: async (signal) => child?.stop(signal),
    output,
    info,
    reload,
    until: async (what, check) => {
      let last: ModelInfo | undefined;
      const hasCome = async () => check((last = await info()));
      await poll(hasCome, () => `${what}: ${JSON.stringify(last)}\n${output()}`);
    },
    untilStarted: () => poll(async () => (await fetch(`http://127.0.0.1:${port}/started`)).ok, output),
  };
}

const SETTINGS = {
  HOST: '127.0.0.1',
  ADMIN_TOKEN: TOKEN,
  ADAPTER: 'true',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
};
