// SIGTERM as a rolling update sends it, while clients keep their connections and go on sending: no request is lost, and every answer is counted once.
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { poll } from '../test/support/admin-port.ts';
import { fixturePath } from '../test/support/inference-rig.ts';
import { startLoad } from '../test/support/keep-alive-load.ts';
import { buildServer, startServer } from '../test/support/server-process.ts';
import type { ServerProcess } from '../test/support/server-process.ts';

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const servers: ServerProcess[] = [];

beforeAll(buildServer);
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop('SIGKILL')));
});

/** Goes on serving for so long that this machine has noticed meanwhile that it is not ready. */
async function ready(): Promise<ServerProcess> {
  const server = await startServer({ MODEL_PATH: fixturePath('basket-blue'), DRAIN_SECONDS: '3' });
  servers.push(server);
  await poll(async () => (await statusOf(server)) === 200, server.output);
  return server;
}

async function statusOf({ url }: ServerProcess): Promise<number> {
  return (await fetch(`${url}/ready`)).status;
}

it('moves its clients to another server without losing a request', async () => {
  const [leaving, staying] = await Promise.all([ready(), ready()]);
  let target = leaving;
  const load = startLoad(`${leaving.url}/predict`, {
    connections: 8,
    thinkMs: 5,
    port: () => Number(new URL(target.url).port),
  });
  await vi.waitFor(() => expect(load.sent()).toBeGreaterThan(100), 30_000);

  const stopped = leaving.stop('SIGTERM');
  await poll(async () => (await statusOf(leaving)) === 503, leaving.output);
  target = staying; // the endpoints have heard of it
  await stopped;
  const atTheEnd = load.sent();
  await vi.waitFor(() => expect(load.sent()).toBeGreaterThan(atTheEnd + 100), 30_000);
  const { requests, failures } = await load.stop();
  await staying.stop('SIGTERM');

  expect(failures).toEqual({});
  expect(leaving.served() + staying.served()).toBe(requests);
  expect(leaving.served()).toBeGreaterThan(100);
});
