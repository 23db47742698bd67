import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FakeS3 } from '../../test/support/fake-s3.ts';
import { fixture } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { BASKET, KEY, openReloadRig, reload, versionOf } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

let rig: ReloadRig;
let s3: FakeS3;
let server: Rig;
let sequence: number;

beforeAll(async () => {
  rig = await openReloadRig();
  ({ s3 } = rig);
});
beforeEach(async () => {
  server = await rig.start();
  sequence = 1;
});
afterEach(() => server.stop());
afterAll(() => rig.close());

const first = { revision: 'r1', key: KEY, versionId: 'v1' };
const artifacts = () => readdir(join(server.dir, 'artifacts'));
/** Takes the fixtures one after the other, each as a revision of its own with this `keep`. */
async function take(names: readonly string[], keep: readonly string[]): Promise<void> {
  for (const name of names) {
    sequence += 1;
    const next = s3.put('models', KEY, fixture(name));
    await reload(server, { sequence, revision: `r${sequence}`, key: KEY, ...next, keep: [...keep] });
  }
}
/** How many requests it takes to return to r1. */
async function requestsOfTheWayBack(): Promise<number> {
  const before = s3.requests.length;
  expect((await reload(server, { ...first, sequence: sequence + 1 })).status).toBe(200);
  expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-1');
  return s3.requests.length - before;
}

describe('the versions in `keep`', () => {
  it('are held as long as each call names them: the way back costs no request', async () => {
    await take(['basket-blue-2', 'basket-green', 'basket-medium'], ['r1']);

    expect(await artifacts()).toHaveLength(3); // in use, the one before, and r1
    expect(await requestsOfTheWayBack()).toBe(0);
  });

  it('are let go of when a call no longer names them, with their files', async () => {
    await take(['basket-blue-2', 'basket-green'], ['r1']);
    await take(['basket-medium'], []);

    expect(await artifacts()).toHaveLength(2);
    expect(await requestsOfTheWayBack()).toBe(1);
  });
});
