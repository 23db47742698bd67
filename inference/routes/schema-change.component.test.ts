import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeS3 } from '../../test/support/fake-s3.ts';
import { fixture, fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { replaceFile } from '../../test/support/replace-file.ts';
import { BASKET, KEY, info, openReloadRig, reload, versionOf } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

describe('a reload with other features and classes', () => {
  let rig: ReloadRig;
  let s3: FakeS3;
  let server: Rig;

  beforeAll(async () => {
    rig = await openReloadRig();
    ({ s3 } = rig);
  });
  beforeEach(async () => {
    server = await rig.start();
  });
  afterEach(() => server.stop());
  afterAll(() => rig.close());

  const put = (name: string) => s3.put('models', KEY, fixture(name));
  const first = { revision: 'r1', key: KEY, versionId: 'v1' };

  it('is refused unless the call allows it, and the refusal names the permission', async () => {
    const { status, answer } = await reload(server, { sequence: 2, key: KEY, ...put('iris-sk132') });

    expect({ status, answer }).toMatchObject({ status: 422, answer: { error: { reason: 'SchemaIncompatible' } } });
    expect(answer.error?.message).toContain('set allowSchemaChange');
    expect((await server.post('/predict', BASKET)).status).toBe(200);
  });

  it('is taken when the call allows it, and so is the way back, from memory and from the store', async () => {
    const allowed = { key: KEY, allowSchemaChange: true };
    const iris = { revision: 'r2', ...put('iris-sk132') };

    const there = await reload(server, { ...allowed, ...iris, sequence: 2, keep: ['r1'] });
    const rows = await server.post('/v1/models/retail:predict', { instances: [[5.1, 3.5, 1.4, 0.2]] });
    const back = await reload(server, { ...allowed, ...first, sequence: 3 });
    await reload(server, { ...allowed, ...put('wine-strings'), sequence: 4 });
    await reload(server, { ...allowed, ...iris, sequence: 5 });
    const before = s3.requests.length;
    const backAgain = await reload(server, { ...allowed, ...first, sequence: 6 });

    expect([there, back, backAgain].map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(rows.status).toBe(200);
    expect(s3.requests.length).toBe(before + 1); // r1 was not held any more
    expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-1');
  });

  it('is refused without permission although the version is held, and costs no download with it', async () => {
    await reload(server, { sequence: 2, key: KEY, ...put('iris-sk132'), keep: ['r1'], allowSchemaChange: true });
    const before = s3.requests.length;

    const refused = await reload(server, { ...first, sequence: 3 });
    const { version, failure } = await info(server);
    const taken = await reload(server, { ...first, sequence: 4, allowSchemaChange: true });

    expect(refused.answer.error?.reason).toBe('SchemaIncompatible');
    expect([version, failure?.sequence]).toEqual(['1', 3]);
    expect(taken).toMatchObject({ status: 200, answer: { status: 'loaded', active: { version: 'blue-1' } } });
    expect(s3.requests.length).toBe(before);
  });

  it('is taken by a load under way that a later call of the same version allows', async () => {
    const iris = { revision: 'r2', key: KEY, ...put('iris-sk132') };
    const gate = Promise.withResolvers<undefined>();
    s3.faults.push({ kind: 'first', run: () => gate.promise });

    await reload(server, { ...iris, sequence: 2, wait: 0 });
    const joined = reload(server, { ...iris, sequence: 3, allowSchemaChange: true });
    await vi.waitFor(async () => expect((await info(server)).sequence).toBe(3));
    gate.resolve(undefined);

    expect(await joined).toMatchObject({ status: 200, answer: { active: { revision: 'r2' } } });
  });
});

it('a server that runs alone follows its file to another schema and back with ALLOW_SCHEMA_CHANGE', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-schema-'));
  const path = join(dir, 'model.tar.gz');
  const replaceBy = async (name: string) => replaceFile(path, await readFile(fixturePath(name)));
  await replaceBy('basket-blue');
  const server = await startInference({ MODEL_PATH: path, MODEL_POLL_SECONDS: '0.03', ALLOW_SCHEMA_CHANGE: 'true' });
  const featuresOf = async () => (await server.get('/model/info')).json as { features: string[] };
  const basket = await featuresOf();

  await replaceBy('iris-sk132');
  await vi.waitFor(async () => expect((await featuresOf()).features).toHaveLength(4), 10_000);
  await replaceBy('basket-blue-2');
  await vi.waitFor(async () => expect((await featuresOf()).features).toEqual(basket.features), 10_000);

  expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-2');
  await server.stop();
  await rm(dir, { recursive: true });
}, 30_000);
