import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pickle, seededRandom, text } from '../../test/support/a-pickle.ts';
import { mutated } from '../../test/support/damage.ts';
import { modelFile } from '../../test/support/model-fixtures.ts';
import { ModelError } from '../model/errors.ts';
import { decompressed, withoutXz } from './compression.ts';

const file = pickle('\x80\x04', text('hello'), '.');
const reason = (name: string) => expect.objectContaining({ reason: name }) as ModelError;

describe('the compression of a file', () => {
  it.each([
    ['none', file],
    ['zlib, fastest', deflateSync(file, { level: 1 })],
    ['zlib, smallest', deflateSync(file, { level: 9 })],
    ['gzip', gzipSync(file)],
  ])('%s is found by its first bytes', (_, compressed) => {
    expect(new Uint8Array(decompressed(compressed, 1e6))).toEqual(file);
  });

  it.each([
    ['bz2', 'BZh91AY'],
    ['lzma', ']\x00\x00\x80'],
    ['lz4', '\x04"M\x18'],
    ['zstd', '\x28\xb5\x2f\xfd'],
    ['joblib 0.9', 'ZF0x1'],
  ])('%s is refused by name, with a way out', (name, start) => {
    expect(() => decompressed(pickle(start), 1e6)).toThrow(
      new ModelError(
        'UnsupportedModel',
        `compressed with ${name}, which is not supported: save with joblib.dump(model, path, compress=('zlib', 3))`,
      ),
    );
  });

  it.each([
    ['cut off', gzipSync(file).subarray(0, 18)],
    ['with a broken checksum', pickle(deflateSync(file).subarray(0, -4), 'oops')],
  ])('data %s is refused as damaged', (_, compressed) => {
    expect(() => decompressed(compressed, 1e6)).toThrow(reason('LoadFailed'));
  });

  it.each([
    ['zlib', deflateSync(new Uint8Array(1001))],
    ['gzip', gzipSync(new Uint8Array(1001))],
    ['no', new Uint8Array(1001)],
  ])('a limit of bytes holds for %s compression', (_, compressed) => {
    expect(() => decompressed(compressed, 1000)).toThrow(reason('ArtifactTooLarge'));
  });
});

describe('xz', () => {
  const xz = modelFile('iris-xz').bytes;
  /** A MiB of zeros. */
  const bomb = Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM7///ANldAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPg' +
      'WRjFdYrid/i2lH8MasDedElk4ulcU7IE2PdEDKtfDW1G6eXDdoi3llestk3haR1v+0uIEGxCy4g/XACP0E6vJiiUcR89jyThcJ6nI1/sKMuF0ZWY' +
      'in4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvul2rFnk5VsFCPnH2q38+1Iq9+SVJQAAAAAA' +
      'wva6PqJwa2AAAfUBgIBAAHmXf0exxGf7AgAAAAAEWVo=',
    'base64',
  );
  const outcome = async (bytes: Uint8Array, maxBytes = 1e6): Promise<string> =>
    withoutXz(bytes, maxBytes).then(
      () => 'undone',
      (error: unknown) => (error instanceof ModelError ? error.reason : String(error)),
    );

  it('is undone, and other files stay as they are', async () => {
    const plain = await withoutXz(xz, 1e6);

    expect(plain.length).toBeGreaterThan(xz.length);
    expect(plain[0]).toBe(0x80);
    expect(await withoutXz(file, 1e6)).toBe(file);
  });

  it('is undone no further than the limit of bytes, however many a file promises', async () => {
    const { length } = await withoutXz(xz, 1e6);

    expect(await outcome(xz, length)).toBe('undone');
    expect(await outcome(xz, length - 1)).toBe('ArtifactTooLarge');
    expect(await outcome(bomb, 2 ** 20)).toBe('undone');
    expect(await outcome(bomb, 2 ** 20 - 1)).toBe('ArtifactTooLarge');
    expect(await outcome(Buffer.concat(Array.from({ length: 1000 }, () => bomb)), 1e6)).toBe('ArtifactTooLarge');
  });

  it('is refused when it is cut off, anywhere', async () => {
    const cuts = Array.from({ length: 50 }, (_, at) => xz.subarray(0, 6 + Math.floor(((xz.length - 6) * at) / 50)));

    expect(new Set(await Promise.all(cuts.map((cut) => outcome(cut))))).toEqual(new Set(['LoadFailed']));
  });

  it('is refused when it is damaged, and the next file is undone as ever', async () => {
    const random = seededRandom(7);
    const whole = Buffer.from(await withoutXz(xz, 1e6));
    // some damage changes nothing; without its first bytes a file is no xz any more, which the reader of pickles will say
    const outcomes: string[] = [];
    for (let round = 0; round < 300; round += 1) {
      const damaged = mutated(xz, random);
      const found = await withoutXz(damaged, 1e6).catch((error: unknown) => error);
      if (found instanceof Uint8Array) outcomes.push(found === damaged || whole.equals(found) ? 'harmless' : 'undone');
      else outcomes.push(found instanceof ModelError ? found.reason : String(found));
    }

    expect(outcomes.filter((found) => found === 'LoadFailed').length).toBeGreaterThan(250);
    expect(new Set([...outcomes, 'harmless'])).toEqual(new Set(['LoadFailed', 'harmless']));
    expect(await outcome(xz)).toBe('undone');
  });

  it('is refused inside of xz', () => {
    expect(() => decompressed(xz, 1e6)).toThrow(reason('UnsupportedModel'));
  });
});
