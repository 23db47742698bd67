import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import type { LoadError } from '../errors.ts';
import { extractModel, inspect } from './archive.ts';

const never = new AbortController().signal;
const limits = { maxBytes: 10_000 };
const METADATA = JSON.stringify({ version: '7', features: ['a'] });
let dir: string;
let count = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-archive-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function file(bytes: Uint8Array, key = 'model.tar.gz') {
  const path = join(dir, `artifact-${(count += 1)}`);
  await writeFile(path, bytes);
  return { key, path };
}

const archive = async (...entries: Parameters<typeof anArchive>[0]) => file(await anArchive(entries));

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error as LoadError).reason,
  );
}

describe('an artifact for another server', () => {
  it('may hold a model of any library, in folders too', async () => {
    const found = await inspect(
      await archive(
        [{ name: 'weights/', type: 'directory' }, ''],
        ['weights/part.bin', 'x'],
        ['metadata.json', METADATA],
      ),
      limits,
      never,
    );

    expect(found).toMatchObject({ version: '7', manifest: { features: ['a'] } });
  });

  it('names no version where its metadata has none, or is missing', async () => {
    const without = await inspect(await archive(['m.bin', 'x'], ['metadata.json', '{}']), limits, never);
    const bare = await inspect(await file(Buffer.from('x'), 'model.joblib'), limits, never);

    expect([without.version, bare.version]).toEqual([undefined, undefined]);
    expect([without.manifest.version, bare.manifest.version]).toEqual(['1.0.0', '1.0.0']);
  });

  it('may have metadata of another form than ours, of which nothing is taken that does not fit', async () => {
    const foreign = {
      name: 7,
      version: { major: 3 },
      features: [{ name: 'a', type: 'float' }],
      labels: 'labels.txt',
      golden: 'rows.csv',
      preprocessing: ['lower', 'stem'],
      sha256: 'sha256:none',
      metrics: 0.93,
      model_type: 'forest',
    };

    const found = await inspect(
      await archive(['m.bin', 'x'], ['metadata.json', JSON.stringify(foreign)]),
      limits,
      never,
    );

    expect(found.version).toBeUndefined();
    expect(found.manifest).toMatchObject({ version: '1.0.0', features: [], model_type: 'forest', metrics: {} });
    expect(found.manifest.name).toBeUndefined();
  });

  it.each([
    ['a name that climbs', [['../model.bin', 'x']]],
    ['an absolute name', [['/etc/passwd', 'x']]],
    ['a name with a backslash', [['a\\..\\b', 'x']]],
    ['a name with a line break', [['a\nb', 'x']]],
    ['a drive', [['C:model', 'x']]],
    ['a folder that climbs', [[{ name: 'a/../../b/', type: 'directory' }, '']]],
    ['a symbolic link', [[{ name: 'model.bin', type: 'symlink', linkname: '/etc/passwd' }, '']]],
    ['a hard link', [[{ name: 'model.bin', type: 'link', linkname: 'x' }, '']]],
    ['a device', [[{ name: 'model.bin', type: 'character-device' }, '']]],
    [
      'one name twice',
      [
        ['m', 'x'],
        ['./m', 'y'],
      ],
    ],
    ['no model', [['metadata.json', METADATA]]],
    [
      'metadata that is no object',
      [
        ['m', 'x'],
        ['metadata.json', '[]'],
      ],
    ],
  ] as const)('is refused with %s', async (_, entries) => {
    const bytes = await anArchive(entries);

    expect(await reasonOf(inspect(await file(bytes), limits, never))).toBe('ArtifactInvalid');
  });

  it('is refused when it is cut, too large, a bomb, or not what its metadata says', async () => {
    const whole = await anArchive([['m', Buffer.alloc(5000, 'x')]]);
    const bomb = await anArchive([['m', Buffer.alloc(8_000_000)]]);
    const wrong = await archive(['m', 'x'], ['metadata.json', JSON.stringify({ sha256: 'ab'.repeat(32) })]);

    expect(await reasonOf(inspect(await file(whole.subarray(0, 40)), limits, never))).toBe('ArtifactInvalid');
    expect(await reasonOf(inspect(await file(bomb), limits, never))).toBe('ArtifactTooLarge');
    expect(await reasonOf(inspect(wrong, limits, never))).toBe('ChecksumMismatch');
  });

  it('is given up when nobody wants it any more', async () => {
    const why = new Error('no more');

    await expect(inspect(await archive(['m', 'x']), limits, AbortSignal.abort(why))).rejects.toBe(why);
  });
});

describe('the model out of an archive', () => {
  const extracted = async (source: Awaited<ReturnType<typeof file>>, wanted: string) => {
    const target = join(dir, `model-${(count += 1)}`);
    await extractModel(source, { wanted, target, ...limits }, never);
    return readFile(target, 'utf8');
  };

  it('is the file of the wanted name, else the only one', async () => {
    const two = await archive(['other.bin', 'o'], ['model.bst', 'm'], ['metadata.json', METADATA]);
    const one = await archive(['forest.bst', 'f'], ['metadata.json', METADATA]);

    expect([await extracted(two, 'model.bst'), await extracted(one, 'model.bst')]).toEqual(['m', 'f']);
  });

  it('is not guessed among several', async () => {
    const several = await archive(['a.bin', 'a'], ['b.bin', 'b']);

    await expect(extracted(several, 'model.bin')).rejects.toThrow(
      'the server reads model.bin, and the archive has a.bin, b.bin',
    );
  });
});
