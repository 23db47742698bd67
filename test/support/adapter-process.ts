// The adapter as it runs in a pod: a process of its own, started with nothing but its environment.
import { join } from 'node:path';
import { projectRoot } from '../cluster/config.ts';
import { freePorts } from '../cluster/ports.ts';
import { ModelInfo, ReloadAnswer } from '../../inference/contract.ts';
import type { ReloadBody } from '../../inference/contract.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { TOKEN } from './inference-rig.ts';

const MAIN = join(projectRoot, 'inference/main.ts');
const PATIENCE_MS = 60_000;

export interface AdapterProcess {
  start(): void;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  output(): string;
  info(): Promise<ModelInfo>;
  reload(body: ReloadBody): Promise<ReloadAnswer>;
  /** Looks at GET /model/info until `check` says yes. */
  until(what: string, check: (info: ModelInfo) => boolean): Promise<void>;
  /** Waits until the model file is in its place, as the kubelet does before it starts the other container. */
  untilStarted(): Promise<void>;
}

/** Not started yet. */
export async function adapterProcess(env: Record<string, string>): Promise<AdapterProcess> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const all = { ...SETTINGS, PORT: String(port), ADMIN_PORT: String(adminPort), ...env };
  let child: Child | undefined;
  const output = () => child?.output() ?? '';
  const info = async () => ModelInfo.parse(await admin(adminPort, '/model/info'));
  return {
    start() {
      child = startChild(process.execPath, [MAIN], { env: all });
    },
    stop: async (signal) => child?.stop(signal),
    output,
    info,
    reload: async (body) =>
      ReloadAnswer.parse(await admin(adminPort, '/model/reload', { method: 'POST', body: JSON.stringify(body) })),
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

/** The body of an answer of the admin port. */
async function admin(port: number, path: string, init: RequestInit = {}): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...init,
    headers,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return answer.json();
}

async function poll(check: () => Promise<boolean>, detail: () => string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (await check().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It did not come to that. ${detail()}`);
}
