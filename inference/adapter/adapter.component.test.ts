// The adapter between a bucket and a server that misbehaves in every way that was thought of.
import { readFile, stat } from 'node:fs/promises';
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

describe('at the start', () => {
  it('puts the pinned file in its place before the server starts, which then needs no reload', async () => {
    const adapter = await start();
    await until(async () => (await adapter.status('/started')) === 200);
    expect(await adapter.status('/ready')).toBe(503);

    await adapter.neighbour.start();
    await adapter.firstLoad();

    expect(await adapter.status('/ready')).toBe(200);
    expect(await adapter.info()).toMatchObject({
      version: 'one',
      sequence: 1,
      variant: 'blue',
      artifact: { revision: 'r1' },
    });
    expect(adapter.neighbour.loads).toEqual(['one']);
  });

  it('lets every user read the file', async () => {
    const adapter = await serving();

    expect((await stat(adapter.modelPath)).mode & 0o777).toBe(0o644);
  });

  it('makes a server that ran before read its file', async () => {
    const adapter = await serving();

    expect(adapter.neighbour.version).toBe('one');
    expect(await adapter.info()).toMatchObject({ version: 'one', artifact: { key: KEY } });
  });

  it('does not start the server on a file that is not the pinned one', async () => {
    const adapter = await start({ first: Buffer.from('no archive') });
    await adapter.firstLoad();

    expect(await adapter.status('/started')).toBe(503);
    expect(await adapter.info()).toMatchObject({
      version: null,
      failure: { reason: 'ArtifactInvalid', revision: 'r1' },
    });
  });

  it('goes on trying a server that comes up without its model', async () => {
    const adapter = await start({ isThere: true, first: await anArtifact('one', 'broken') });
    await until(async () => (await adapter.info()).failure?.reason === 'LoadFailed');

    adapter.neighbour.manner = 'refuses';
    const fixed = await upload('two');
    await adapter.reload({ sequence: 2, key: KEY, ...fixed });
    adapter.neighbour.manner = 'python';
    const { status } = await adapter.reload({ sequence: 3, revision: 'r2', key: KEY, ...fixed });

    expect(status).toBe(200);
    expect(await adapter.info()).toMatchObject({ version: 'two', artifact: { revision: 'r2' } });
  });

  it('takes the pinned version again after a restart of its own', async () => {
    const adapter = await serving();
    await adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...(await upload('two')) });

    await adapter.restart();
    await adapter.firstLoad();

    expect(await adapter.info()).toMatchObject({ version: 'one', sequence: 1, artifact: { revision: 'r1' } });
    expect(adapter.neighbour.version).toBe('one');
  });
});

describe('POST /model/reload', () => {
  it('brings the server to the version, and says what it serves', async () => {
    const adapter = await serving();

    const { status, answer } = await adapter.reload({
      sequence: 2,
      revision: 'r2',
      key: KEY,
      ...(await upload('two')),
    });

    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { status: 'loaded', active: { version: 'two', revision: 'r2' } },
    });
    expect(adapter.neighbour.version).toBe('two');
    expect(await adapter.status('/ready')).toBe(200);
  });

  it('sees a new file of an equal version by the time of its load', async () => {
    const adapter = await serving();

    const { status } = await adapter.reload({ sequence: 2, key: KEY, ...(await upload('one', 'other bytes')) });

    expect(status).toBe(200);
    expect(adapter.neighbour.loads).toEqual(['one', 'one']);
  });

  it('believes a server that does not say when it loaded, once its answer has stood for a while', async () => {
    const adapter = await serving();
    adapter.neighbour.saysWhen = false;

    const { status } = await adapter.reload({ sequence: 2, key: KEY, ...(await upload('one', 'other bytes')) });

    expect(status).toBe(200);
  });

  it('is unchanged for what is served already, and calls nobody', async () => {
    const adapter = await serving();
    const { etag, versionId, sha256 } = (await adapter.info()).artifact ?? {};

    const { answer } = await adapter.reload({ sequence: 2, revision: 'same', key: KEY, etag, versionId, sha256 });

    expect(answer).toMatchObject({ status: 'unchanged', active: { revision: 'same' } });
    expect(adapter.neighbour.loads).toEqual(['one']);
  });

  it('goes back to a kept version without asking the store, by a reload of the server', async () => {
    const adapter = await serving();
    const first = (await adapter.info()).artifact;
    await adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...(await upload('two')), keep: ['r1'] });
    const before = s3.requests.length;

    const { status } = await adapter.reload({ sequence: 3, revision: 'r1', key: KEY, sha256: first?.sha256 });

    expect(status).toBe(200);
    expect(adapter.neighbour.loads).toEqual(['one', 'two', 'one']);
    expect(s3.requests.length).toBe(before);
  });

  it('refuses a lower sequence', async () => {
    const adapter = await serving();
    await adapter.reload({ sequence: 9, key: KEY, ...(await upload('two')) });

    const { status, answer } = await adapter.reload({ sequence: 8, key: KEY, versionId: 'v1' });

    expect({ status, answer }).toMatchObject({
      status: 409,
      answer: { error: { reason: 'StaleSequence' }, active: { version: 'two' } },
    });
  });

  it('does not trust a server that was just starting: it may have read the file from before', async () => {
    const adapter = await serving();
    await adapter.neighbour.stop();
    const reloading = adapter.reload({ sequence: 2, key: KEY, ...(await upload('one', 'other bytes')) });
    await until(async () => (await readFile(adapter.modelPath)).equals(await anArtifact('one', 'other bytes')));

    await adapter.neighbour.start({ isStale: true });

    expect((await reloading).status).toBe(200);
    expect(adapter.neighbour.loads).toEqual(['one', 'one']);
  });

  it('tells whoever was overtaken at once, while the newer version is still on its way', async () => {
    const adapter = await serving({ env: { ADAPTER_RELOAD_SECONDS: '60' } });
    adapter.neighbour.manner = 'hangs';
    const overtaken = adapter.reload({ sequence: 2, key: KEY, ...(await upload('two')) });
    await until(async () => (await readFile(adapter.modelPath)).equals(await anArtifact('two')));
    const gate = Promise.withResolvers<undefined>();
    const next = await upload('three');
    s3.faults.push({ kind: 'first', run: () => gate.promise });
    const winner = adapter.reload({ sequence: 3, key: KEY, ...next });

    expect((await overtaken).status).toBe(409);

    adapter.neighbour.manner = 'python';
    gate.resolve(undefined);
    expect((await winner).status).toBe(200);
  });

  it('gives up a server that hangs for a higher sequence', async () => {
    const adapter = await serving({ env: { ADAPTER_RELOAD_SECONDS: '60' } });
    adapter.neighbour.manner = 'hangs';
    const overtaken = adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...(await upload('two')) });
    await until(async () => (await readFile(adapter.modelPath)).equals(await anArtifact('two')));
    adapter.neighbour.manner = 'python';

    const winner = await adapter.reload({ sequence: 3, revision: 'r3', key: KEY, ...(await upload('three')) });

    expect(await overtaken).toMatchObject({ status: 409, answer: { error: { reason: 'Superseded' } } });
    expect(winner).toMatchObject({ status: 200, answer: { active: { version: 'three' } } });
    expect(await adapter.info()).toMatchObject({ version: 'three', sequence: 3 });
    expect(adapter.neighbour.version).toBe('three');
  });
});

describe('a server without a reload call', () => {
  const env = { ADAPTER_RELOAD: 'none' };

  it('gets its model at the start, and no other', async () => {
    const adapter = await start({ env });
    await until(async () => (await adapter.status('/started')) === 200);
    await adapter.neighbour.start();
    await adapter.firstLoad();

    const { status, answer } = await adapter.reload({ sequence: 2, key: KEY, ...(await upload('two')) });

    expect({ status, answer }).toMatchObject({
      status: 400,
      answer: { error: { reason: 'InvalidRequest' }, active: { version: 'one' } },
    });
    expect((await readFile(adapter.modelPath)).equals(await anArtifact('one'))).toBe(true);
  });
});

describe('a server that reads a model file', () => {
  it('gets it out of the archive', async () => {
    const adapter = await start({ modelFile: 'model.joblib', env: { ADAPTER_INFO: 'none' } });
    await until(async () => (await adapter.status('/started')) === 200);

    expect(await readFile(adapter.modelPath, 'utf8')).toBe('a model');
  });
});
