import { afterEach, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { HealthServer, ReadyCheck } from './health-server.ts';
import { startHealthServer } from './health-server.ts';

let server: HealthServer | undefined;

afterEach(async () => {
  await server?.close();
});

async function get(path: string, init?: RequestInit): Promise<{ status: number; body: string }> {
  const answer = await fetch(`http://127.0.0.1:${server?.port ?? 0}${path}`, init);
  return { status: answer.status, body: await answer.text() };
}

async function aServer(checks: Record<string, ReadyCheck> = {}): Promise<FakeClock> {
  const clock = new FakeClock();
  const metrics = () => Promise.resolve({ contentType: 'text/plain', body: 'up 1\n' });
  server = await startHealthServer({ clock, port: 0, host: '127.0.0.1', checks, metrics });
  return clock;
}

it('is ready when every check is, and says which is not and why', async () => {
  let reason: string | undefined = 'no list of Pod yet';
  await aServer({ watches: () => reason, lease: () => undefined });
  expect(await get('/readyz')).toEqual({ status: 503, body: '[-] watches: no list of Pod yet\n[+] lease ok\n' });
  reason = undefined;
  expect(await get('/readyz')).toEqual({ status: 200, body: '[+] watches ok\n[+] lease ok\n' });
});

it('takes a check that throws for not ready', async () => {
  await aServer({
    broken: () => {
      throw new Error('bug');
    },
  });
  expect(await get('/readyz')).toEqual({ status: 503, body: '[-] broken: Error: bug\n' });
});

it('is alive while not ready', async () => {
  await aServer({ watches: () => 'down' });
  expect((await get('/healthz')).status).toBe(200);
});

it('is not alive after the event loop was held up, and recovers', async () => {
  const clock = await aServer();
  await clock.advance(5000);
  expect((await get('/healthz')).status).toBe(200);

  clock.freeze(60_000);
  expect(await get('/healthz')).toEqual({ status: 503, body: 'the event loop was held up for 59500 ms\n' });
  await clock.advance(9000);
  expect((await get('/healthz')).status).toBe(503);
  await clock.advance(2000);
  expect((await get('/healthz')).status).toBe(200);
});

it('gives metrics, and nothing else', async () => {
  await aServer();
  expect(await get('/metrics?x=1')).toEqual({ status: 200, body: 'up 1\n' });
  expect((await get('/debug')).status).toBe(404);
  expect((await get('/metrics', { method: 'POST' })).status).toBe(405);
});

it('says so when metrics cannot be had', async () => {
  const clock = new FakeClock();
  server = await startHealthServer({
    clock,
    port: 0,
    host: '127.0.0.1',
    checks: {},
    metrics: () => Promise.reject(new Error('bug')),
  });
  expect((await get('/metrics')).status).toBe(500);
});
