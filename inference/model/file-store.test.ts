import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { LoadError } from '../errors.ts';
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

async function failure(call: Promise<unknown>): Promise<LoadError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof LoadError) return error;
  throw new Error(`got ${String(error)}`);
}

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

    expect((await failure(fetchAll(dir, { ...LIMITS, maxBytes: 1000 }))).reason).toBe('ArtifactTooLarge');
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

    expect((await failure(wanted)).reason).toBe('ObjectChanged');
  });

  it('between finding and reading is refused', async () => {
    await write('model.joblib', 'one');
    const { files } = await localFiles(dir);
    await write('model.joblib', 'two or more');

    expect((await failure(buffer(contentOf(files[0])))).reason).toBe('ObjectChanged');
    expect((await failure(buffer(packed(files)))).reason).toBe('ObjectChanged');
  });

  it('of the size in the middle of packing is refused', async () => {
    await write('model.joblib', 'one');
    const { files } = await localFiles(dir);

    const grown = files.map((file) => ({ ...file, size: file.size - 1 }));

    expect((await failure(buffer(packed(grown)))).reason).toBe('ObjectChanged');
  });
});

describe('a directory is refused', () => {
  it.each([
    ['that is empty', [], 'NoSuchKey', 'it is empty'],
    ['without a model', ['..data', 'notes.txt', 'a b'], 'NoSuchKey', 'it has "a b", notes.txt): put model.tar.gz'],
    ['with two models', ['model.onnx', 'model.joblib'], 'NoSuchKey', '(model.joblib, model.onnx): leave one'],
    ['with an archive and a model', ['model.tar.gz', 'model.txt'], 'NoSuchKey', '(model.tar.gz, model.txt)'],
    ['with two metadata', ['model.tar.gz', 'metadata.json'], 'NoSuchKey', 'has model.tar.gz and metadata.json'],
  ] as const)('%s, by names', async (_, names, reason, message) => {
    for (const name of names) await write(name, 'x');

    const refused = await failure(fileStore(dir).look(dir, signal));

    expect(refused).toMatchObject({ reason, message: expect.stringContaining(message) as string });
    expect(refused.message).toContain(dir);
  });

  it('whose message would be endless', async () => {
    for (let index = 0; index < 100; index += 1) await write(`file-${100 + index}`, 'x');

    expect((await failure(etagNow())).message).toContain(
      'it has file-100, file-101, file-102, file-103, file-104, 95 more',
    );
  });

  it.each([
    ['model.joblib', '../secret'],
    ['metadata.json', '/etc/hostname'],
  ])('whose %s is a link to %s', async (name, to) => {
    await write('secret', 'x', root);
    await write(name === 'model.joblib' ? 'metadata.json' : 'model.joblib', 'x');
    await symlink(to, join(dir, name));

    expect(await failure(fetchAll())).toMatchObject({
      reason: 'AccessDenied',
      message: `${name} in ${dir} is a link that leads out of it: put the file itself there`,
    });
  });

  it('whose folder has a neighbour of a longer name, and a link there', async () => {
    await mkdir(`${dir}-2`);
    await write('model.joblib', 'x', `${dir}-2`);
    await symlink(join(`${dir}-2`, 'model.joblib'), join(dir, 'model.joblib'));

    expect((await failure(etagNow())).reason).toBe('AccessDenied');
  });

  it('whose link leads nowhere, or whose model is a folder', async () => {
    const nowhere = [];
    for (const target of ['gone', 'model.joblib']) {
      await symlink(target, join(dir, 'model.joblib'));
      nowhere.push(await failure(etagNow()));
      await rm(join(dir, 'model.joblib'));
    }
    await mkdir(join(dir, 'model.joblib'));

    for (const { reason, message } of nowhere) {
      expect(reason).toBe('NoSuchKey');
      expect(message).toBe(`model.joblib in ${dir} is gone, or a link that leads nowhere: put the file itself there`);
    }
    expect((await failure(etagNow())).message).toBe(`model.joblib in ${dir} is not a file`);
  });

  it('whose file has become a link by the time it is read', async () => {
    await write('model.joblib', 'one');
    const { files } = await localFiles(dir);
    await copyFile(join(dir, 'model.joblib'), join(root, 'elsewhere'));
    await rm(join(dir, 'model.joblib'));
    await symlink(join(root, 'elsewhere'), join(dir, 'model.joblib'));

    expect((await failure(buffer(contentOf(files[0])))).reason).toBe('StoreUnreachable');
  });
});

it('serves its own path and no other', async () => {
  await write('model.joblib', 'model');

  expect((await failure(fileStore(dir).look('/etc/passwd', signal))).reason).toBe('InvalidRequest');
  expect((await failure(fileStore(dir).look(join(dir, 'model.joblib'), signal))).reason).toBe('InvalidRequest');
});

it('says what to set when there is nothing at the path', async () => {
  const path = join(dir, 'none');

  expect(await failure(fileStore(path).look(path, signal))).toMatchObject({
    reason: 'NoSuchKey',
    message: expect.stringContaining(`There is no file ${path}: set MODEL_PATH`) as string,
  });
});
