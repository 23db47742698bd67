import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unzip } from './unzip.ts';

const LIMIT = 10_000_000;
const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * at) % 251));
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-unzip-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function unzipped(file: Buffer, wholeBytes?: number, maxBytes = LIMIT): Promise<Buffer[]> {
  const path = join(dir, 'file');
  await writeFile(path, file);
  const pieces: Buffer[] = [];
  for await (const piece of unzip(path, maxBytes, wholeBytes)) pieces.push(piece);
  return pieces;
}

describe.each([
  ['in one piece', undefined],
  ['in several', 0],
])('a gzip file %s', (_, wholeBytes) => {
  it.each([
    ['', [bytes]],
    [' of two members', [bytes.subarray(0, 2_999_990), bytes.subarray(2_999_990)]],
    [' of nothing', [Buffer.alloc(0)]],
  ])('%s is what was zipped', async (_, members) => {
    const pieces = await unzipped(Buffer.concat(members.map((member) => gzipSync(member))), wholeBytes);

    expect(Buffer.concat(pieces).equals(Buffer.concat(members))).toBe(true);
  });

  it.each([
    ['cut off', () => gzipSync(bytes).subarray(0, 1000)],
    ['of another kind', () => Buffer.from('no gzip at all')],
    ['damaged', () => gzipSync(bytes).fill(7, 100, 120)],
  ])('that is %s is refused', async (_, file) => {
    await expect(unzipped(file(), wholeBytes)).rejects.toThrow();
  });
});

it('is one piece of its own size up to a limit, and several beyond', async () => {
  expect(await unzipped(gzipSync(bytes))).toHaveLength(1);
  expect((await unzipped(gzipSync(bytes), 0)).length).toBeGreaterThan(1);
});

it.each([
  ['says so', (file: Buffer) => file],
  ['says it is small', (file: Buffer) => file.fill(0, file.length - 4)],
  ['says it is huge', (file: Buffer) => file.fill(255, file.length - 4)],
])('that unfolds beyond the limit is refused when it %s', async (_, change) => {
  const bomb = change(gzipSync(Buffer.alloc(5_000_000)));

  await expect(unzipped(bomb, undefined, 1_000_000)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
});
