import { afterAll, beforeAll, expect, it } from 'vitest';
import { TOKEN, fixture } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { KEY, info, openReloadRig } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

let rig: ReloadRig;
let server: Rig;

beforeAll(async () => {
  rig = await openReloadRig();
  server = await rig.start({ versioned: false });
});
afterAll(async () => {
  await server.stop();
  await rig.close();
});

it.each(['', 'Bearer wrong', `bearer ${TOKEN}x`, TOKEN])(
  'the admin port asks for the token (%j)',
  async (authorization) => {
    const paths = ['/model/info', `/artifacts/${'0'.repeat(64)}`, '/nothing'];
    const answers = await Promise.all(
      paths.map((path) => fetch(server.adminUrl + path, { headers: { authorization } })),
    );

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  },
);

it('the admin port is not reachable by way of the public port', async () => {
  const calls = [
    await server.post('/model/reload', { sequence: 9, key: KEY }),
    await server.post('/drain', { id: 'x' }),
    await server.get('/artifacts/0'),
  ];

  expect(calls.map(({ status }) => status)).toEqual([404, 404, 404]);
});

it('the admin port gives a kept artifact to siblings, and nothing else', async () => {
  const { sha256 = '' } = (await info(server)).artifact ?? {};

  const own = await fetch(`${server.adminUrl}/artifacts/${sha256}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const other = await server.admin('GET', `/artifacts/${'0'.repeat(64)}`);
  const path = await server.admin('GET', '/artifacts/..%2F..%2Fdesired.json');

  expect(Buffer.from(await own.arrayBuffer()).equals(fixture('basket-blue'))).toBe(true);
  expect([other.status, path.status]).toEqual([404, 404]);
});
