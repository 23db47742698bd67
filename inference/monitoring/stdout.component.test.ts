import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { freePorts } from '../../test/cluster/ports.ts';
import { fixturePath } from '../../test/support/inference-rig.ts';

const MAIN = new URL('../main.ts', import.meta.url).pathname;
const REQUESTS = 600;
const INSTANCES = Array.from({ length: 150 }, () => [5.1, 3.5, 1.4, 0.2]);

it('writes payload events as lines among the log, and a reader that stands still holds up no answer', async () => {
  const [port = 0] = await freePorts(1);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      HOST: '127.0.0.1',
      PORT: String(port),
      GRPC_PORT: '0',
      DRAIN_SECONDS: '0',
      MODEL_PATH: fixturePath('iris-bare', 'model.joblib'),
      PAYLOAD_LOG_SINK: 'stdout',
      PAYLOAD_LOG_TIMEOUT_SECONDS: '60',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const call = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  const metric = async (name: string) => {
    const lines = (await (await call('/metrics')).text()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
  };
  await vi.waitFor(async () => expect((await call('/ready')).status).toBe(200), 20_000);

  const statuses = new Set<number>();
  for (let sent = 0; sent < REQUESTS; sent += 1) {
    const body = JSON.stringify({ instances: INSTANCES });
    const response = await call('/v1/models/model:predict', { method: 'POST', body });
    statuses.add(response.status);
    await response.arrayBuffer();
  }
  const waiting = await metric('model_payloads_waiting');
  const output = text(child.stdout);
  await vi.waitFor(async () => expect(await metric('model_payloads_logged_total')).toBe(REQUESTS), 20_000);
  child.kill('SIGTERM');
  await once(child, 'close');

  const lines = (await output).trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { readonly type?: string; readonly msg?: string });
  expect(statuses).toEqual(new Set([200]));
  expect(waiting).toBeGreaterThan(0);
  expect(events.filter(({ type }) => type?.endsWith('.request') === true)).toHaveLength(REQUESTS);
  expect(events.filter(({ type }) => type?.endsWith('.response') === true)).toHaveLength(REQUESTS);
  expect(events.at(-1)).toMatchObject({ msg: 'stopped', served: REQUESTS });
}, 60_000);
