// What a request gets from the router, and what happens when HAProxy or its agent starts again: the real HAProxy on loopback.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BUCKETS } from '../../router/contract.ts';
import { NOTHING } from '../../router/desired.ts';
import { bindsFor, configPath } from '../../router/haproxy/config.ts';
import { StartFiles } from '../../router/haproxy/files.ts';
import { post, startLoad } from '../support/keep-alive-load.ts';
import { isHaproxyMissing, RouterScene, variantsByKey } from '../support/router-scene.ts';

const scene = new RouterScene();
const check = it.skipIf(isHaproxyMissing());
const LOAD = { connections: 50, thinkMs: 10 };

function shareOf(answers: readonly (string | undefined)[], variant: string): number {
  return answers.filter((answer) => answer === variant).length / answers.length;
}

const server = (name: string, address: string) => ({ slot: 0, name, address, port: 8080 });

/** What a fake pod answers. */
function contentOf(body: string): { variant?: string; uid?: string; id?: string } {
  return JSON.parse(body) as { variant?: string; uid?: string; id?: string };
}

check('divides 10,000 keys within 1.5 points, keeps each key, and moves keys only towards the winner', async () => {
  const router = await scene.start({ blue: 90, green: 10 }, { sticky: { header: 'x-user-id' } });

  const before = await variantsByKey(router.url, 10_000);
  const again = await variantsByKey(router.url, 1_000);
  await router.setWeights({ blue: 60, green: 40 });
  const after = await variantsByKey(router.url, 10_000);

  expect(Math.abs(shareOf(before, 'green') - 0.1)).toBeLessThan(0.015);
  expect(Math.abs(shareOf(after, 'green') - 0.4)).toBeLessThan(0.015);
  expect(again).toEqual(before.slice(0, 1_000));
  expect(before.filter((variant, key) => variant === 'green' && after[key] !== 'green')).toEqual([]);
});

check('divides requests without a key at random, and gives every answer its variant and request id', async () => {
  const router = await scene.start({ blue: 50, green: 50 }, { sticky: { cookie: 'session' } });

  const answers = await Promise.all(Array.from({ length: 400 }, () => post(router.url)));
  const named = await post(router.url, { 'x-request-id': 'abc-1', cookie: 'session=s1' });

  const share = answers.filter(({ variant }) => variant === 'green').length / answers.length;
  expect(share).toBeGreaterThan(0.35);
  expect(share).toBeLessThan(0.65);
  expect(answers.every(({ body, variant }) => contentOf(body).variant === variant)).toBe(true);
  expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(answers.length);
  expect(named.requestId).toBe('abc-1');
  expect(contentOf(named.body).id).toBe('abc-1');
});

check.each([
  ['no key', {}],
  ['a header', { sticky: { header: 'x-user-id' } }],
  ['a cookie', { sticky: { cookie: 'session' } }],
  ['the client address', { sticky: { clientAddress: {} } }],
  ['an override and IPv6', { overrideHeader: 'x-v', ...bindsFor('fd00::9') }],
])('writes a configuration that HAProxy takes without a warning: %s', async (_what, options) => {
  const directory = await mkdtemp(join(tmpdir(), 'check-'));
  const settings = { name: 'retail', directory, ...bindsFor('10.0.0.9'), ...options };
  const servers = [server('uid-1', '10.0.0.1'), server('uid-2', 'fd00::1')];

  await new StartFiles(settings).write(servers, NOTHING.maps, AbortSignal.timeout(1_000));
  const checked = spawnSync('haproxy', ['-c', '-f', configPath(directory)], { encoding: 'utf8' });
  await rm(directory, { recursive: true });

  expect(checked.stderr + checked.stdout).toBe('Configuration file is valid\n');
});

check('keeps all requests of one client address on one variant', async () => {
  const router = await scene.start({ blue: 50, green: 50 }, { sticky: { clientAddress: {} } });

  const answers = await Promise.all(Array.from({ length: 20 }, () => post(router.url)));

  expect(new Set(answers.map(({ variant }) => variant)).size).toBe(1);
});

check('keeps a cookie on one variant, wherever the cookie stands', async () => {
  const router = await scene.start({ blue: 50, green: 50 }, { sticky: { cookie: 'session' } });

  const one = await Promise.all(
    Array.from({ length: 20 }, (_, i) => post(router.url, { cookie: `n=${i}; session=s7` })),
  );

  expect(new Set(one.map(({ variant }) => variant)).size).toBe(1);
});

check('lets the override header pick any variant that can answer, also one without a share', async () => {
  const router = await scene.start({ blue: 100, green: 0 }, { overrideHeader: 'x-model-variant' });
  const ask = async (variant: string) => (await post(router.url, { 'x-model-variant': variant })).variant;

  expect(await ask('green')).toBe('green');
  expect(await ask('blue')).toBe('blue');
  expect(await ask('unknown')).toBe('blue');
  router.setPods('green', []);
  await router.untilApplied(({ slots }) => slots.every(({ variant, servers }) => variant !== 'green' || servers === 0));
  expect(await ask('green')).toBe('blue');
});

check('ignores the override header when none is named', async () => {
  const router = await scene.start({ blue: 100, green: 0 });

  expect((await post(router.url, { 'x-model-variant': 'green' })).variant).toBe('blue');
});

check('says in JSON that nobody can answer', async () => {
  const router = await scene.start({ blue: 100 }, {}, { blue: [] });

  const answer = await post(router.url);

  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body)).toEqual({ detail: 'No model server is ready' });
  expect(answer.requestId).toMatch(/^[0-9a-f-]{36}$/);
});

check(
  'HAProxy killed: starts again with the last table and the last pods, before the agent has said a word',
  async () => {
    const router = await scene.start({ blue: 100, green: 0 }, { overrideHeader: 'x-v' });
    await router.setWeights({ blue: 0, green: 100 });
    const extra = await scene.podOf('green');
    router.setPods('green', [extra]);
    await router.untilApplied(({ slots }) => slots[1]?.servers === 1);

    await router.signalHaproxy('SIGKILL');
    await router.until(async () => !(await router.isReady()), 'the router is not ready');
    await router.startHaproxy();
    const first = await post(router.url);
    await router.until(() => router.isReady(), 'the router is ready again');

    expect(first).toMatchObject({ status: 200, variant: 'green' });
    expect(contentOf(first.body).uid).toBe(extra.endpoint.uid);
    expect(await router.applied()).toMatchObject({
      generation: 2,
      slots: [{ buckets: 0 }, { buckets: BUCKETS, servers: 1 }],
    });
  },
);

check('HAProxy restarted from old files: the agent brings it up to date', async () => {
  const router = await scene.start({ blue: 100, green: 0 });
  await router.signalHaproxy('SIGKILL');
  router.sendWeights({ blue: 0, green: 100 });
  const pods2 = await scene.podsOf('green', 2);
  router.setPods('green', pods2);

  await router.startHaproxy();
  await router.untilApplied(({ generation, slots }) => generation === 2 && slots[1]?.servers === 2);

  const answers = await Promise.all(Array.from({ length: 20 }, () => post(router.url)));
  expect(answers.every(({ variant }) => variant === 'green')).toBe(true);
  expect(pods2.reduce((sum, { served }) => sum + served, 0)).toBe(20);
});

check('agent started while the API server is silent: ready by what it wrote down, and traffic goes on', async () => {
  const router = await scene.start({ blue: 50, green: 50 });
  const load = startLoad(router.url, LOAD);

  const port = await router.startDeafAgent();
  await router.until(() => router.isReady(port), 'the second agent is ready');
  const result = await load.stop();

  expect(result.failures).toEqual({});
  expect((await router.applied()).slots.map(({ buckets }) => buckets)).toEqual([5_000, 5_000]);
});
