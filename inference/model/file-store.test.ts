import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { loadFailure } from '../../test/support/load-failure.ts';
import { fileStore } from './file-store.ts';
import { contentOf, localFiles } from './local-files.ts';
import { packed } from './pack.ts';
import { unpack } from './package.ts';

const { signal } = new AbortController();
const LIMITS = { maxBytes: 1024 * 1024, stallMs: 5000 };

let root: string;
let dir: string;
let target: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'switchyard-files-'));
  dir = join(root, 'volume');
  target = join(root, 'fetched');
  await mkdir(dir);
});
afterEach(() => rm(root, { recursive: true }));

const write = (name: string, content: string | Uint8Array, to = dir) => writeFile(join(to, name), content);
const fetchAll = (path = dir, limits = LIMITS) => fileStore(path).fetch({ key: path }, target, limits, signal);
const etagNow = async (path = dir) => (await fileStore(path).look(path, signal)).etag;

/** A volume as Kubernetes fills it: the files in a folder with a time for its name, a link `..data` to that, and links to the files through it. */
async function projected(files: Record<string, string>, folder: string): Promise<void> {
  await mkdir(join(dir, folder));
  for (const [name, content] of Object.entries(files)) {
    await write(name, content, join(dir, folder));
    await utimes(join(dir, folder, name), 0, 0);
    await symlink(join('..data', name), join(dir, name)).catch(() => undefined);
  }
  await symlink(folder, join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
}

describe('a directory', () => {
  it('with an archive gives its bytes', async () => {
    const archive = await anArchive([['model.joblib', 'model']]);
    await write('model.tar.gz', archive);
    await write('README.md', 'is nobody to care about');

    const fetched = await fetchAll();

    expect(fetched).toMatchObject({ key: dir, fileName: 'model.tar.gz', size: archive.length });
    expect(fetched.sha256).toBe(createHash('sha256').update(archive).digest('hex'));
    expect(await readFile(target)).toEqual(archive);
  });

  it.each(['model.joblib', 'model.pkl', 'model.json', 'model.ubj', 'model.txt', 'model.onnx'])(
    'with a loose %s gives the archive that it would be',
    async (name) => {
      await write(name, 'x'.repeat(1500));
      await write('metadata.json', '{"version":"7"}');

      const fetched = await fetchAll();

      const content = await unpack('model.tar.gz', target, { maxBytes: LIMITS.maxBytes });
      expect(content.fileName).toBe(name);
      expect(content.model.toString()).toBe('x'.repeat(1500));
      expect(content.metadata?.toString()).toBe('{"version":"7"}');
      expect(fetched.fileName).toBe('model.tar.gz');
      expect(fetched.sha256).toBe(
        createHash('sha256')
          .update(await readFile(target))
          .digest('hex'),
      );
    },
  );

  it.each(['model.tar.gz', 'model.joblib'])('with a %s of several pieces loses none of them', async (name) => {
    const content = Buffer.from(Array.from({ length: 3_500_000 }, (_, at) => (at * 7919) >>> 11));
    await write(name, content);
    const limits = { ...LIMITS, maxBytes: 4_000_000 };

    await fetchAll(dir, limits);

    const found =
      name === 'model.tar.gz' ? await readFile(target) : (await unpack('model.tar.gz', target, limits)).model;
    expect(found.equals(content)).toBe(true);
  });

  it('needs no metadata.json', async () => {
    await write('model.joblib', 'model');

    await fetchAll();

    expect(await unpack('model.tar.gz', target, { maxBytes: LIMITS.maxBytes })).not.toHaveProperty('metadata');
  });

  it('gives the same bytes for the same files, whenever and wherever they were written, and others for other metadata', async () => {
    await write('model.joblib', 'model');
    await write('metadata.json', '{}');
    const first = await fetchAll();
    const other = join(root, 'other');
    await mkdir(other);
    await write('metadata.json', '{}', other);
    await write('model.joblib', 'model', other);
    await utimes(join(other, 'model.joblib'), 1, 1);

    const copy = await fetchAll(other);
    const archive = await readFile(target);
    await write('metadata.json', '{ }');
    const changed = await fetchAll();

    const mtime = gunzipSync(archive).toString('latin1', 136, 147);
    expect(copy.sha256).toBe(first.sha256);
    expect(Number(mtime)).toBe(0);
    expect(changed.sha256).not.toBe(first.sha256);
  });

  it('is bounded by the size of all its files', async () => {
    await write('model.joblib', 'x'.repeat(600));
    await write('metadata.json', 'y'.repeat(600));

    expect((await loadFailure(fetchAll(dir, { ...LIMITS, maxBytes: 1000 }))).reason).toBe('ArtifactTooLarge');
  });

  it('may be a link, and may take the place of a file', async () => {
    await write('model.joblib', 'model');
    const path = join(root, 'current');
    await symlink(dir, path);
    const store = fileStore(path);
    const before = await store.look(path, signal);
    await rm(path);
    await write('current', 'a file', root);

    expect(before.key).toBe(path);
    expect((await store.look(path, signal)).etag).not.toBe(before.etag);
  });
});

describe('a change', () => {
  it('is none while nothing happens, whoever reads', async () => {
    await write('model.joblib', 'model');
    await write('metadata.json', '{}');
    const before = await etagNow();
    await fetchAll();

    expect(await etagNow()).toBe(before);
  });

  it.each([
    ['of the model', 'model.joblib'],
    ['of metadata.json alone', 'metadata.json'],
  ])('%s is seen', async (_, name) => {
    await write('model.joblib', 'model');
    await write('metadata.json', '{}');
    const before = await etagNow();
    await write(name, 'other');

    expect(await etagNow()).not.toBe(before);
  });

  it('is seen when a metadata.json comes or goes', async () => {
    await write('model.joblib', 'model');
    const without = await etagNow();
    await write('metadata.json', '{}');

    expect(await etagNow()).not.toBe(without);
  });

  it('is seen when a file of equal size and time takes the place of another', async () => {
    const path = join(dir, 'model.joblib');
    await write('model.joblib', 'one');
    await utimes(path, 0, 0);
    const before = [await etagNow(), await etagNow(path)];
    // the clock by which a file system notes changes goes on in steps of some milliseconds
    await sleep(20);
    await write('new', 'two');
    await utimes(join(dir, 'new'), 0, 0);
    await rename(join(dir, 'new'), path);

    expect((await stat(path)).mtimeMs).toBe(0);
    expect(await etagNow()).not.toBe(before[0]);
    expect(await etagNow(path)).not.toBe(before[1]);
  });

  it('is seen when Kubernetes swaps the link of a volume', async () => {
    await projected({ 'model.joblib': 'one', 'metadata.json': '{}' }, '..2026_01_01');
    const before = await etagNow();
    await projected({ 'model.joblib': 'two', 'metadata.json': '{}' }, '..2026_01_02');

    await fetchAll();

    expect(await etagNow()).not.toBe(before);
    expect((await unpack('model.tar.gz', target, { maxBytes: LIMITS.maxBytes })).model.toString()).toBe('two');
  });

  it('since the version was asked for is refused', async () => {
    await write('model.joblib', 'one');
    const etag = await etagNow();
    await write('model.joblib', 'other');

    const wanted = fileStore(dir).fetch({ key: dir, etag }, target, LIMITS, signal);

    expect((await loadFailure(wanted)).reason).toBe('ObjectChanged');
  });

  it('between finding and reading is refused', async () => {
    await write('model.joblib', 'one');
    const { files } = await localFiles(dir);
    await write('model.joblib', 'two or more');

    expect((await loadFailure(buffer(contentOf(files[0])))).reason).toBe('ObjectChanged');
    expect((await loadFailure(buffer(packed(files)))).reason).toBe('ObjectChanged');
  });

  it('of the size in the middle of packing is refused', async () => {
    await write('model.joblib', 'one');
    const { files } = await localFiles(dir);

    const grown = files.map((file) => ({ ...file, size: file.size - 1 }));

    expect((await loadFailure(buffer(packed(grown)))).reason).toBe('ObjectChanged');
  });
});

it('serves its own path and no other', async () => {
  await write('model.joblib', 'model');

  expect((await loadFailure(fileStore(dir).look('/etc/passwd', signal))).reason).toBe('InvalidRequest');
  expect((await loadFailure(fileStore(dir).look(join(dir, 'model.joblib'), signal))).reason).toBe('InvalidRequest');
});

it('says what to set when there is nothing at the path', async () => {
  const path = join(dir, 'none');

  expect(await loadFailure(fileStore(path).look(path, signal))).toMatchObject({
    reason: 'NoSuchKey',
    message: expect.stringContaining(`There is no file ${path}: set MODEL_PATH`) as string,
  });
});
