import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { unpack } from './package.ts';

const LIMIT = 100_000;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-package-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function unpackBytes(bytes: Uint8Array, key = 'retail/model.tar.gz') {
  const path = join(dir, 'artifact');
  await writeFile(path, bytes);
  return unpack(key, path, { maxBytes: LIMIT });
}

describe('an archive', () => {
  it.each([
    ['model.joblib', 'metadata.json'],
    ['metadata.json', 'model.joblib'],
    ['./model.pkl', './metadata.json'],
  ])('with %s and %s is unpacked', async (...names) => {
    const entries = names.map((name) => [name, `content of ${name}`] as const);

    const { fileName, model, metadata } = await unpackBytes(
      await anArchive([[{ name: './', type: 'directory' }, ''], ...entries]),
    );

    const found = names.find((name) => name.includes('model.'))!;
    expect(fileName).toBe(found.replace('./', ''));
    expect(model.toString()).toBe(`content of ${found}`);
    expect(metadata?.toString()).toMatch(/^content of .*metadata.json$/);
  });

  it('needs no metadata, and is known by its content where its name says nothing', async () => {
    const { fileName, metadata } = await unpackBytes(await anArchive([['model.joblib', 'x']]), 'latest');

    expect([fileName, metadata]).toEqual(['model.joblib', undefined]);
  });

  const model = ['model.joblib', 'x'] as const;
  it.each([
    ['no model', [['metadata.json', '{}']], /no model.joblib or model.pkl/],
    ['two models', [model, ['model.pkl', 'y']], /several models: model.joblib, model.pkl/],
    ['an entry twice', [model, model], /"model.joblib" is in it twice/],
    [
      'a symbolic link',
      [[{ name: 'model.joblib', type: 'symlink', linkname: '/etc/passwd' }, '']],
      /is a symlink, not a file/,
    ],
    ['a hard link', [[{ name: 'model.joblib', type: 'link', linkname: 'metadata.json' }, '']], /is a link, not a file/],
    ['a device', [[{ name: 'model.joblib', type: 'character-device' }, '']], /is a character-device, not a file/],
    ['a fifo', [[{ name: 'model.joblib', type: 'fifo' }, '']], /is a fifo, not a file/],
    ['an absolute name', [['/model.joblib', 'x']], /unexpected entry "\/model.joblib"/],
    ['a climbing name', [['../model.joblib', 'x']], /unexpected entry "..\/model.joblib"/],
    ['a folder', [[{ name: 'models', type: 'directory' }, ''], model], /is a directory, not a file/],
    ['a nested model', [['models/model.joblib', 'x']], /unexpected entry/],
    [
      'a stranger',
      [model, ['setup.py', 'x']],
      /unexpected entry "setup.py": only model.joblib or .* and metadata.json/,
    ],
  ] as const)('with %s is refused', async (_, entries, message) => {
    await expect(unpackBytes(await anArchive(entries))).rejects.toMatchObject({
      reason: 'ArtifactInvalid',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['cut off', async () => (await anArchive([['model.joblib', Buffer.alloc(50_000, 7)]])).subarray(0, 60)],
    ['not gzip', () => Buffer.from('hello')],
    ['gzip of something else', () => gzipSync('hello'.repeat(1000))],
    ['empty', () => Buffer.alloc(0)],
  ])('that is %s is refused', async (_, bytes) => {
    await expect(unpackBytes(await bytes())).rejects.toMatchObject({ reason: 'ArtifactInvalid' });
  });

  it('that unfolds beyond the limit is refused while it does so', async () => {
    const bomb = await anArchive([['model.joblib', Buffer.alloc(50_000_000)]]);

    expect(bomb.length).toBeLessThan(LIMIT);
    await expect(unpackBytes(bomb)).rejects.toMatchObject({ reason: 'ArtifactTooLarge' });
  });
});

it('with metadata beyond its own limit is refused, and nobody is told to raise the limit of models', async () => {
  const metadata = Buffer.alloc(4 * 1024 * 1024 + 1, 32);

  await expect(unpackBytes(await anArchive([['metadata.json', metadata]]))).rejects.toMatchObject({
    reason: 'ArtifactTooLarge',
    message: expect.stringMatching(/^metadata.json has more than 4194304 bytes[^M]*$/) as string,
  });
});

describe('a bare model file', () => {
  it.each(['model.joblib', 'a/b/forest.pkl'])('is taken as it is: %s', async (key) => {
    const { fileName, model, metadata } = await unpackBytes(gzipSync('bytes'), key);

    expect([fileName, model.equals(gzipSync('bytes')), metadata]).toEqual([key.split('/').at(-1), true, undefined]);
  });

  it('beyond the limit is refused', async () => {
    await expect(unpackBytes(Buffer.alloc(LIMIT + 1), 'model.joblib')).rejects.toMatchObject({
      reason: 'ArtifactTooLarge',
    });
  });
});
