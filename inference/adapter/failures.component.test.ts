// What becomes of the server when a reload goes wrong, in every way that was thought of.
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KEY, anArtifact, startAdapter, until } from '../../test/support/adapter-rig.ts';
import type { AdapterRig, AdapterRigOptions } from '../../test/support/adapter-rig.ts';
import { startFakeS3 } from '../../test/support/fake-s3.ts';
import type { FakeS3 } from '../../test/support/fake-s3.ts';

let s3: FakeS3;
let rig: AdapterRig | undefined;

beforeAll(async () => {
  s3 = await startFakeS3();
});
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});
afterAll(() => s3.close());

async function start(options: Omit<AdapterRigOptions, 's3'> = {}): Promise<AdapterRig> {
  rig = await startAdapter({ s3, ...options });
  return rig;
}

/** An adapter whose server serves version one. */
async function serving(options: Omit<AdapterRigOptions, 's3'> = {}): Promise<AdapterRig> {
  const started = await start({ isThere: true, ...options });
  await started.firstLoad();
  return started;
}

const upload = async (version: string, content?: string, metadata?: object) =>
  s3.put('models', KEY, await anArtifact(version, content, metadata));

describe('a reload that fails', () => {
  it.each([
    ['the server loses its model over it', 'python', 'LoadFailed', ['one', 'one']],
    ['the server refuses it', 'mlserver', 'LoadFailed', ['one', 'one']],
  ] as const)('puts the previous file back: %s', async (_, manner, reason, loads) => {
    const adapter = await serving();
    const before = await readFile(adapter.modelPath);
    adapter.neighbour.manner = manner;

    const { status, answer } = await adapter.reload({
      sequence: 2,
      revision: 'r2',
      key: KEY,
      ...(await upload('two', 'broken')),
    });

    expect({ status, answer }).toMatchObject({
      status: 422,
      answer: { error: { reason }, active: { version: 'one', revision: 'r1' } },
    });
    expect(await adapter.info()).toMatchObject({ version: 'one', failure: { reason, revision: 'r2', sequence: 2 } });
    expect((await readFile(adapter.modelPath)).equals(before)).toBe(true);
    expect([adapter.neighbour.version, adapter.neighbour.loads]).toEqual(['one', loads]);
  });

  it('puts it back when the server says nothing new, and does not hold that against the artifact', async () => {
    const adapter = await serving();
    const before = await readFile(adapter.modelPath);
    adapter.neighbour.manner = 'ignores';

    const { status, answer } = await adapter.reload({ sequence: 2, key: KEY, ...(await upload('two')) });

    expect({ status, answer }).toMatchObject({ status: 502, answer: { error: { reason: 'RuntimeUnreachable' } } });
    expect(await adapter.info()).toMatchObject({ version: 'one', artifact: { revision: 'r1' } });
    expect((await readFile(adapter.modelPath)).equals(before)).toBe(true);
  });

  it.each(['refuses', 'hangs'] as const)(
    'blames nobody but a server that %s the previous file too, and still serves it',
    async (manner) => {
      const adapter = await serving({ env: { ADAPTER_RELOAD_SECONDS: '0.2' } });
      adapter.neighbour.manner = manner;

      const { status, answer } = await adapter.reload({ sequence: 2, key: KEY, ...(await upload('two')) });

      expect({ status, answer }).toMatchObject({
        status: 502,
        answer: { error: { reason: 'RuntimeUnreachable' }, active: { version: 'one' } },
      });
    },
  );

  it('has no active version when the server has neither the new nor the previous one', async () => {
    const adapter = await serving();
    adapter.neighbour.manner = 'refuses';
    const reloading = adapter.reload({ sequence: 2, key: KEY, ...(await upload('two')) });
    adapter.neighbour.version = undefined;

    const { status, answer } = await reloading;

    expect({ status, answer }).toMatchObject({
      status: 502,
      answer: { error: { reason: 'RuntimeUnreachable' }, active: null },
    });
    expect(await adapter.status('/ready')).toBe(503);
  });

  it('refuses a version that the server does not report', async () => {
    const adapter = await serving();
    adapter.neighbour.manner = 'lies';
    const reloading = adapter.reload({ sequence: 2, key: KEY, ...(await upload('two')) });
    await until(() => adapter.neighbour.loads.length === 2);
    adapter.neighbour.manner = 'python';

    const { status, answer } = await reloading;

    expect({ status, answer }).toMatchObject({
      status: 422,
      answer: { error: { reason: 'LoadFailed' }, active: { version: 'one' } },
    });
    expect(answer.error?.message).toContain('"another"');
  });

  it('waits for a server that ended, which starts again on the previous file', async () => {
    const adapter = await serving();
    adapter.neighbour.manner = 'dies';
    const reloading = adapter.reload({ sequence: 2, key: KEY, ...(await upload('two')) });
    await until(async () => (await adapter.info()).artifact === null);
    await until(async () => (await readFile(adapter.modelPath)).equals(await anArtifact('one')));
    adapter.neighbour.manner = 'python';
    await adapter.neighbour.start();

    const { status, answer } = await reloading;

    expect({ status, answer }).toMatchObject({
      status: 422,
      answer: { error: { reason: 'LoadFailed' }, active: { version: 'one' } },
    });
    expect(adapter.neighbour.version).toBe('one');
  });

  it.each([
    ['no archive', () => Promise.resolve(Buffer.from('text')), 'ArtifactInvalid'],
    ['other features', () => anArtifact('two', 'x', { features: ['a'] }), 'SchemaIncompatible'],
    [
      'another hash than its metadata says',
      () => anArtifact('two', 'x', { sha256: 'ab'.repeat(32) }),
      'ChecksumMismatch',
    ],
  ])('never shows the server %s', async (_, bytes, reason) => {
    const adapter = await serving({ first: await anArtifact('one', 'x', { features: ['b'] }) });
    const before = await readFile(adapter.modelPath);

    const { status, answer } = await adapter.reload({ sequence: 2, key: KEY, ...s3.put('models', KEY, await bytes()) });

    expect({ status, answer }).toMatchObject({
      status: 422,
      answer: { error: { reason }, active: { version: 'one' } },
    });
    expect((await readFile(adapter.modelPath)).equals(before)).toBe(true);
    expect(adapter.neighbour.loads).toEqual(['one']);
  });

  it('shows the server other features where the call allows them', async () => {
    const adapter = await serving({ first: await anArtifact('one', 'x', { features: ['b'] }) });
    const next = await upload('two', 'x', { features: ['a'] });

    const { status } = await adapter.reload({ sequence: 2, key: KEY, ...next, allowSchemaChange: true });

    expect([status, adapter.neighbour.version]).toEqual([200, 'two']);
  });

  it('never shows the server bytes that are not those that were asked for', async () => {
    const adapter = await serving();
    const { etag, versionId } = await upload('two');

    const { status, answer } = await adapter.reload({
      sequence: 2,
      key: KEY,
      etag,
      versionId,
      sha256: 'ab'.repeat(32),
    });

    expect({ status, answer }).toMatchObject({ status: 422, answer: { error: { reason: 'ChecksumMismatch' } } });
    expect(adapter.neighbour.loads).toEqual(['one']);
  });
});
