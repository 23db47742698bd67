import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startFakeFiles } from '../test/support/fake-files.ts';
import type { FakeFiles } from '../test/support/fake-files.ts';
import { desiredEnv, fixture, fixturePath, startInference } from '../test/support/inference-rig.ts';
import type { Rig } from '../test/support/inference-rig.ts';
import { unpack } from './model/package.ts';

const POLL = { MODEL_POLL_SECONDS: '0.03' };

let dir: string;
let server: Rig | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-origin-'));
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await rm(dir, { recursive: true });
});

async function start(env: Record<string, string>, options?: { readonly waitForLoad: boolean }): Promise<Rig> {
  server = await startInference(env, options);
  return server;
}

const PATIENCE = { timeout: 10_000, interval: 20 };
const serves = (rig: Rig, version: string) =>
  vi.waitFor(async () => expect((await rig.get('/health')).json).toMatchObject({ version }), PATIENCE);
const loads = (rig: Rig) => rig.logs.filter(({ msg }) => msg === 'model loaded').length;
/** Puts a file into the directory at once. */
async function place(name: string, bytes: Uint8Array | string): Promise<void> {
  await writeFile(join(dir, 'new'), bytes);
  await rename(join(dir, 'new'), join(dir, name));
}
const warned = (rig: Rig, text: string) => vi.waitFor(() => expect(JSON.stringify(rig.logs)).toContain(text), PATIENCE);
const artifactOf = async (rig: Rig) =>
  ((await rig.get('/model/info')).json as { artifact: { key: string; sha256: string } }).artifact;

describe('a directory', () => {
  /** Writes the files of a fixture. */
  async function unpacked(name: string, to: string): Promise<void> {
    const { model, metadata = Buffer.from('{}') } = await unpack('model.tar.gz', fixturePath(name), {
      maxBytes: 1 << 24,
    });
    await mkdir(to, { recursive: true });
    await writeFile(join(to, 'model.joblib'), model);
    await writeFile(join(to, 'metadata.json'), metadata);
  }

  it('of loose files is served, and a change of metadata.json alone is followed', async () => {
    await unpacked('basket-blue', dir);
    const rig = await start({ MODEL_PATH: dir, ...POLL });
    const first = await artifactOf(rig);
    const { metadata } = await unpack('model.tar.gz', fixturePath('basket-blue'), { maxBytes: 1 << 24 });
    const changed = { ...(JSON.parse(String(metadata)) as object), version: 'blue-renamed' };
    await place('metadata.json', JSON.stringify(changed));

    await serves(rig, 'blue-renamed');

    const { key, sha256 } = await artifactOf(rig);
    expect(key).toBe(dir);
    expect(sha256).not.toBe(first.sha256);
    expect(loads(rig)).toBe(2);
  });

  it('whose link Kubernetes swaps is followed', async () => {
    await unpacked('basket-blue', join(dir, '..1'));
    await unpacked('basket-blue-2', join(dir, '..2'));
    await symlink('..1', join(dir, '..data'));
    for (const name of ['model.joblib', 'metadata.json']) await symlink(join('..data', name), join(dir, name));
    const rig = await start({ MODEL_PATH: dir, ...POLL });
    await serves(rig, 'blue-1');
    await symlink('..2', join(dir, '..data_tmp'));
    await rename(join(dir, '..data_tmp'), join(dir, '..data'));

    await serves(rig, 'blue-2');
  });

  it('is read again by a reload call', async () => {
    await place('model.tar.gz', fixture('basket-blue'));
    const rig = await start({ MODEL_PATH: dir });
    await place('model.tar.gz', fixture('basket-blue-2'));

    const { status, json } = await rig.admin('POST', '/model/reload', { sequence: 1, key: dir });

    expect({ status, json }).toMatchObject({ status: 200, json: { status: 'loaded', active: { version: 'blue-2' } } });
  });

  it('with two models goes on with the one from before, and says which there are, once', async () => {
    await writeFile(join(dir, 'model.tar.gz'), fixture('basket-blue'));
    const rig = await start({ MODEL_PATH: dir, ...POLL });
    await writeFile(join(dir, 'model.onnx'), 'x');
    await warned(rig, `more than one model in ${dir} (model.tar.gz, model.onnx)`);
    await place('model.tar.gz', fixture('basket-blue-2'));
    const before = (await rig.get('/health')).json;
    await rm(join(dir, 'model.onnx'));

    await serves(rig, 'blue-2');

    expect(before).toMatchObject({ version: 'blue-1' });
    expect(rig.logs.filter(({ detail }) => String(detail).includes('more than one'))).toHaveLength(1);
  });

  it('that is empty at first is waited for', async () => {
    const rig = await start({ MODEL_PATH: dir }, { waitForLoad: false });
    await warned(rig, `There is no model in ${dir} (it is empty)`);
    await place('model.tar.gz', fixture('basket-green'));

    await serves(rig, 'green-1');
  });

  it('that holds a damaged archive calls the archive damaged', async () => {
    await writeFile(join(dir, 'model.tar.gz'), 'no archive');
    const rig = await start({ MODEL_PATH: dir });

    expect((await rig.admin('GET', '/model/info')).json).toMatchObject({ failure: { reason: 'ArtifactInvalid' } });
  });
});

describe('a web server', () => {
  let files: FakeFiles;
  const KEY = 'retail/model.tar.gz';
  const PATH = `models/${KEY}`;

  beforeAll(async () => {
    files = await startFakeFiles();
  });
  beforeEach(() => {
    files.faults.length = 0;
    Object.assign(files.ways, { etags: 'strong', dates: true, authorization: undefined });
  });
  afterAll(() => files.close());

  const alone = () => ({ MODEL_STORE_URL: files.url, MODEL_BUCKET: 'models', MODEL_KEY: KEY, ...POLL });
  const pinned = (version: object, more = {}) =>
    desiredEnv(dir, {
      artifact: { store: { kind: 'http', url: files.url }, bucket: 'models', key: KEY, ...version },
      ...{ sequence: 1, modelDeployment: 'retail', variant: 'blue', revision: 'r1', ...more },
    });

  it.each(['strong', 'weak', 'none'] as const)(
    'with %s ETags is followed, without a load for nothing',
    async (etags) => {
      files.ways.etags = etags;
      files.put(PATH, fixture('basket-blue'));
      const rig = await start(alone());
      await serves(rig, 'blue-1');
      const asked = files.requests.length;
      await vi.waitFor(() => expect(files.requests.length).toBeGreaterThan(asked + 3), PATIENCE);
      const idle = loads(rig);
      files.put(PATH, fixture('basket-blue-2'));

      await serves(rig, 'blue-2');

      expect(idle).toBe(1);
    },
  );

  it('gets the login, which no log shows', async () => {
    files.ways.authorization = `Basic ${btoa('me:pass-canary')}`;
    files.put(PATH, fixture('basket-blue'));
    const login = { MODEL_STORE_USERNAME: 'me', MODEL_STORE_PASSWORD: 'pass-canary' };

    const rig = await start({ ...alone(), ...login, LOG_LEVEL: 'debug' });

    await serves(rig, 'blue-1');
    expect(JSON.stringify(rig.logs)).not.toMatch(/canary|Basic|bWU6/);
  });

  it('is asked for exactly the version that the operator names', async () => {
    const { etag, size } = files.put(PATH, fixture('basket-blue'));
    const rig = await start(await pinned({ etag, size }));
    const next = files.put(PATH, fixture('basket-blue-2'));
    files.put(PATH, fixture('basket-green'));

    const stale = await rig.admin('POST', '/model/reload', { sequence: 2, key: KEY, etag: next.etag, size: next.size });

    expect(stale).toMatchObject({
      status: 502,
      json: { error: { reason: 'ObjectChanged' }, active: { version: 'blue-1' } },
    });
    expect((await rig.get('/health')).json).toMatchObject({ version: 'blue-1' });
  });

  it('that has other bytes by now does not keep a new pod from the promoted ones: a sibling has them', async () => {
    const { etag, sha256, size } = files.put(PATH, fixture('basket-blue'));
    const rig = await start(await pinned({ etag, size }));
    files.put(PATH, fixture('basket-green'));

    const late = await startInference(await pinned({ etag, size, sha256 }, { siblings: rig.adminUrl }));

    expect((await late.get('/model/info')).json).toMatchObject({ version: 'blue-1', artifact: { sha256 } });
    await late.stop();
  });
});
