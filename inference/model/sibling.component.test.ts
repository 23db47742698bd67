import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FakeS3 } from '../../test/support/fake-s3.ts';
import { TOKEN, fixture } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { KEY, openReloadRig, reload } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

const NEXT = fixture('basket-blue-2');

let rig: ReloadRig;
let s3: FakeS3;
let sibling: Server;
let asked: string[];
/** What the sibling sends. */
let bytes: Buffer;
let server: Rig;

beforeAll(async () => {
  rig = await openReloadRig();
  ({ s3 } = rig);
  sibling = createServer((request, response) => {
    asked.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`);
    response.end(bytes);
  }).listen(0, '127.0.0.1');
  await once(sibling, 'listening');
});
beforeEach(async () => {
  asked = [];
  bytes = NEXT;
  const { port } = sibling.address() as AddressInfo;
  server = await rig.start({ versioned: false, siblings: `http://127.0.0.1:${port}` });
});
afterEach(() => server.stop());
afterAll(async () => {
  sibling.close();
  await rig.close();
});

/** A reload of what somebody has overwritten in the store, which keeps no versions. */
async function reloadOverwritten(known: { readonly sha256?: string }) {
  const { etag } = s3.put('models', KEY, NEXT);
  s3.put('models', KEY, fixture('basket-green'));
  return reload(server, { sequence: 2, key: KEY, etag, ...known });
}

const hashOfNext = () => s3.put('models', 'copy', NEXT).sha256;

it('gives by its hash, and with the token, what the store no longer has', async () => {
  const sha256 = hashOfNext();

  const { status, answer } = await reloadOverwritten({ sha256 });

  expect({ status, answer }).toMatchObject({ status: 200, answer: { active: { version: 'blue-2', sha256 } } });
  expect(asked).toEqual([`/artifacts/${sha256} Bearer ${TOKEN}`]);
});

it('is not asked for a version whose hash nobody knows', async () => {
  const { answer } = await reloadOverwritten({});

  expect(answer.error?.reason).toBe('ObjectChanged');
  expect(asked).toEqual([]);
});

it.each([
  ['other bytes', () => fixture('basket-green')],
  ['half of them', () => NEXT.subarray(0, NEXT.length / 2)],
])('is not believed when it sends %s: the reason is that of the store, and nothing is left', async (_, sent) => {
  bytes = sent();
  const artifacts = () => readdir(join(server.dir, 'artifacts'));
  const before = await artifacts();

  const { status, answer } = await reloadOverwritten({ sha256: hashOfNext() });

  expect({ status, answer }).toMatchObject({
    status: 502,
    answer: { error: { reason: 'ObjectChanged' }, active: { version: 'blue-1' } },
  });
  expect(asked).toHaveLength(1);
  expect(await artifacts()).toEqual(before);
});
