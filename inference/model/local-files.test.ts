import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadFailure } from '../../test/support/load-failure.ts';
import { fileStore } from './file-store.ts';
import { contentOf, localFiles } from './local-files.ts';

const { signal } = new AbortController();
const LIMITS = { maxBytes: 1024 * 1024, stallMs: 5000 };

let root: string;
let dir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'switchyard-files-'));
  dir = join(root, 'volume');
  await mkdir(dir);
});
afterEach(() => rm(root, { recursive: true }));

const write = (name: string, content: string, to = dir) => writeFile(join(to, name), content);
const fetchAll = () => fileStore(dir).fetch({ key: dir }, join(root, 'fetched'), LIMITS, signal);
const etagNow = async () => (await fileStore(dir).look(dir, signal)).etag;

describe('a directory is refused', () => {
  it.each([
    ['that is empty', [], 'NoSuchKey', 'it is empty'],
    ['without a model', ['..data', 'notes.txt', 'a b'], 'NoSuchKey', 'it has "a b", notes.txt): put model.tar.gz'],
    ['with two models', ['model.onnx', 'model.joblib'], 'NoSuchKey', '(model.joblib, model.onnx): leave one'],
    ['with an archive and a model', ['model.tar.gz', 'model.txt'], 'NoSuchKey', '(model.tar.gz, model.txt)'],
    ['with two metadata', ['model.tar.gz', 'metadata.json'], 'NoSuchKey', 'has model.tar.gz and metadata.json'],
  ] as const)('%s, by names', async (_, names, reason, message) => {
    for (const name of names) await write(name, 'x');

    const refused = await loadFailure(fileStore(dir).look(dir, signal));

    expect(refused).toMatchObject({ reason, message: expect.stringContaining(message) as string });
    expect(refused.message).toContain(dir);
  });

  it('whose message would be endless', async () => {
    for (let index = 0; index < 100; index += 1) await write(`file-${100 + index}`, 'x');

    expect((await loadFailure(etagNow())).message).toContain(
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

    expect(await loadFailure(fetchAll())).toMatchObject({
      reason: 'AccessDenied',
      message: `${name} in ${dir} is a link that leads out of it: put the file itself there`,
    });
  });

  it('whose folder has a neighbour of a longer name, and a link there', async () => {
    await mkdir(`${dir}-2`);
    await write('model.joblib', 'x', `${dir}-2`);
    await symlink(join(`${dir}-2`, 'model.joblib'), join(dir, 'model.joblib'));

    expect((await loadFailure(etagNow())).reason).toBe('AccessDenied');
  });

  it('whose link leads nowhere, or whose model is a folder', async () => {
    const nowhere = [];
    for (const target of ['gone', 'model.joblib']) {
      await symlink(target, join(dir, 'model.joblib'));
      nowhere.push(await loadFailure(etagNow()));
      await rm(join(dir, 'model.joblib'));
    }
    await mkdir(join(dir, 'model.joblib'));

    for (const { reason, message } of nowhere) {
      expect(reason).toBe('NoSuchKey');
      expect(message).toBe(`model.joblib in ${dir} is gone, or a link that leads nowhere: put the file itself there`);
    }
    expect((await loadFailure(etagNow())).message).toBe(`model.joblib in ${dir} is not a file`);
  });

  it('whose file has become a link by the time it is read', async () => {
    await write('model.joblib', 'one');
    const { files } = await localFiles(dir);
    await copyFile(join(dir, 'model.joblib'), join(root, 'elsewhere'));
    await rm(join(dir, 'model.joblib'));
    await symlink(join(root, 'elsewhere'), join(dir, 'model.joblib'));

    expect((await loadFailure(buffer(contentOf(files[0])))).reason).toBe('StoreUnreachable');
  });
});

it('a file is read into the same memory, but for the last piece, which a stream may let wait', async () => {
  const content = Buffer.from(Array.from({ length: 2_500_000 }, (_, at) => (at * 7919) >>> 11));
  await writeFile(join(dir, 'model.joblib'), content);
  const [file] = (await localFiles(dir)).files;

  const pieces: Uint8Array[] = [];
  for await (const piece of contentOf(file)) pieces.push(piece);

  const [first, second, last] = pieces;
  expect(pieces.map(({ length }) => length)).toEqual([1_048_576, 1_048_576, 402_848]);
  expect(second?.buffer).toBe(first?.buffer);
  expect(last?.buffer).not.toBe(first?.buffer);
});
