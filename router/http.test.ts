import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { Applied } from './contract.ts';
import { SocketError } from './haproxy/socket.ts';
import { createAgentServer } from './http.ts';
import { createMetrics } from './metrics.ts';

const APPLIED: Applied = {
  generation: 2,
  checksum: 'c',
  slots: [{ slot: 0, variant: 'blue', servers: 1, buckets: 10_000, skipped: false }],
};

async function asking(agent: Partial<Parameters<typeof createAgentServer>[0]['agent']>) {
  const whole = { applied: () => Promise.resolve(APPLIED), unready: undefined, isAlive: true, ...agent };
  const server = createAgentServer({
    agent: whole,
    metrics: createMetrics().text,
    signal: new AbortController().signal,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { connection: 'close' } });
}

it('answers /applied in the form of the contract', async () => {
  const ask = await asking({});

  expect(Applied.parse(await (await ask('/applied')).json())).toEqual(APPLIED);
});

it('answers 503 on /applied when HAProxy does not answer', async () => {
  const ask = await asking({ applied: () => Promise.reject(new SocketError('no answer from HAProxy')) });
  const answer = await ask('/applied');

  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({ detail: 'no answer from HAProxy' });
});

it('says why it is not ready', async () => {
  const ask = await asking({ unready: 'table 2 is not committed', isAlive: false });

  expect(await (await ask('/readyz')).json()).toEqual({ detail: 'table 2 is not committed' });
  expect((await ask('/healthz')).status).toBe(503);
});

it('serves metrics, refuses other methods and paths', async () => {
  const ask = await asking({});

  expect(await (await ask('/metrics')).text()).toContain('switchyard_router_table_generation');
  expect((await ask('/applied', 'POST')).status).toBe(405);
  expect((await ask('/other')).status).toBe(404);
});
