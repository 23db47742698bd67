import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FakeS3 } from '../../test/support/fake-s3.ts';
import { fixture } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { BASKET, KEY, info, openReloadRig, reload, versionOf } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

let rig: ReloadRig;
let s3: FakeS3;

beforeAll(async () => {
  rig = await openReloadRig();
  ({ s3 } = rig);
});
afterAll(() => rig.close());

describe('POST /model/reload', () => {
  it('leaves no file of an artifact that was refused', async () => {
    const server = await rig.start();
    const before = await readdir(join(server.dir, 'artifacts'));
    for (const sequence of [2, 3]) {
      const bad = s3.put('models', KEY, Buffer.from(`no archive ${sequence}`));
      expect((await reload(server, { sequence, key: KEY, ...bad })).status).toBe(422);
    }

    expect(await readdir(join(server.dir, 'artifacts'))).toEqual(before);
    await server.stop();
  });

  let server: Rig;

  beforeEach(async () => {
    server = await rig.start();
  });
  afterEach(() => server.stop());

  it('swaps the model in place and reports what is active', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));

    const { status, answer } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { status: 'loaded', active: { revision: 'r2', version: 'blue-2', versionId: 'v2', sha256: next.sha256 } },
    });
    expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-2');
    expect(await info(server)).toMatchObject({
      version: 'blue-2',
      variant: 'blue',
      sequence: 2,
      artifact: { revision: 'r2' },
    });
  });

  it('is idempotent: the active version again is unchanged, and costs no download', async () => {
    const { etag, versionId, sha256 } = (await info(server)).artifact ?? {};
    const before = s3.requests.length;

    const { status, answer } = await reload(server, {
      sequence: 5,
      revision: 'r1b',
      key: KEY,
      etag,
      versionId,
      sha256,
    });

    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { status: 'unchanged', active: { revision: 'r1b' } },
    });
    expect(s3.requests.length).toBe(before);
  });

  it('returns to the previous version without asking the store', async () => {
    const first = (await info(server)).artifact;
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next, keep: ['r1'] });
    const before = s3.requests.length;

    const { status, answer } = await reload(server, { sequence: 3, revision: 'r1', key: KEY, sha256: first?.sha256 });

    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { status: 'loaded', active: { revision: 'r1', version: 'blue-1' } },
    });
    expect(s3.requests.length).toBe(before);
  });

  it('refuses a lower sequence: a late call never undoes a newer one', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    await reload(server, { sequence: 9, revision: 'r2', key: KEY, ...next });

    const { status, answer } = await reload(server, { sequence: 8, revision: 'r1', key: KEY, versionId: 'v1' });

    expect({ status, answer }).toMatchObject({
      status: 409,
      answer: { error: { reason: 'StaleSequence' }, active: { version: 'blue-2' } },
    });
  });

  it('answers 202 when the load takes longer than the caller waits, and goes on', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    const gate = Promise.withResolvers<undefined>();
    s3.faults.push({ kind: 'first', run: () => gate.promise });

    const { status, answer } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next, wait: 0 });
    gate.resolve(undefined);
    const joined = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 202,
      answer: { status: 'loading', active: { version: 'blue-1' } },
    });
    expect(joined).toMatchObject({ status: 200, answer: { active: { version: 'blue-2' } } });
    expect(s3.requests.filter((line) => line.includes('versionId=v2'))).toHaveLength(1);
  });

  it('gives up a load in flight for a higher sequence', async () => {
    const second = s3.put('models', KEY, fixture('basket-blue-2'));
    const third = s3.put('models', KEY, fixture('basket-green'));
    const [reached, never] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    s3.faults.push({ kind: 'first', run: () => (reached.resolve(undefined), never.promise) });

    const overtaken = reload(server, { sequence: 2, revision: 'r2', key: KEY, ...second });
    await reached.promise;
    const winner = await reload(server, { sequence: 3, revision: 'r3', key: KEY, ...third });

    expect(await overtaken).toMatchObject({ status: 409, answer: { error: { reason: 'Superseded' } } });
    expect(winner).toMatchObject({ status: 200, answer: { active: { version: 'green-1' } } });
    expect((await info(server)).failure).toBeUndefined();
    never.resolve(undefined);
  });

  it('forgets the failure after a success', async () => {
    const bad = s3.put('models', KEY, Buffer.from('bad'));
    await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...bad });
    const first = (await info(server)).artifact;

    await reload(server, { sequence: 3, revision: 'r1', key: KEY, sha256: first?.sha256 });

    expect((await info(server)).failure).toBeUndefined();
  });

  it('gives up a load that takes too long', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    const never = Promise.withResolvers<undefined>();
    s3.faults.push({ kind: 'first', run: () => never.promise });

    const { status, answer } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 502,
      answer: { error: { reason: 'LoadTimeout' }, active: { version: 'blue-1' } },
    });
    never.resolve(undefined);
  });

  it('tries again after a fault that passes', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    s3.faults.push({ kind: 'cut', after: 1000 }, { kind: 'stall', after: 1000 });

    const { status } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect(status).toBe(200);
    expect((await info(server)).version).toBe('blue-2');
  });

  it('is also the load call of the V2 repository extension', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));

    const known = await server.admin('POST', '/v2/repository/models/retail/load', { sequence: 2, key: KEY, ...next });
    const unknown = await server.admin('POST', '/v2/repository/models/other/load', { sequence: 3, key: KEY });

    expect([known.status, unknown.status]).toEqual([200, 404]);
  });
});
