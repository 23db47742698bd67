import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { fixturePath } from '../../test/support/inference-rig.ts';
import { archived, goldenOf, rowsOf } from '../../test/support/model-fixtures.ts';
import { modelLoader } from './loader.ts';
import { readArtifact } from './read-artifact.ts';

const LIMITS = { maxBytes: 10_000_000 };
const KEY = 'model.tar.gz';
const never = new AbortController().signal;
const XZ = { key: 'model.joblib', path: fixturePath('iris-xz', 'model.joblib') };
const blue = { key: KEY, path: fixturePath('basket-blue') };
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-loader-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe('a worker', () => {
  it('hands over a model that answers as one read on this thread', async () => {
    const row = new Float64Array(12).fill(3);

    const [there, here] = await Promise.all([
      modelLoader(LIMITS)(blue, never),
      modelLoader(LIMITS, readArtifact)(blue, never),
    ]);

    expect(there.manifest.version).toBe('blue-1');
    expect(there.model.predictProba?.(row, 1)).toEqual(here.model.predictProba?.(row, 1));
  });

  it('reads a file that joblib has compressed with xz: the answers are those of scikit-learn', async () => {
    const golden = goldenOf('iris-xz');

    const { model } = await modelLoader(LIMITS)(XZ, never);

    expect([...(model.predictProba?.(rowsOf(golden), golden.inputs.length) ?? [])]).toEqual(
      golden.predict_proba.flat(),
    );
    const small = modelLoader({ maxBytes: 4000 }, readArtifact);
    await expect(small(XZ, never)).rejects.toMatchObject({ reason: 'ArtifactTooLarge' });
  });

  it('ends when the load is given up, for the reason given', async () => {
    const giveUp = new AbortController();
    const loading = modelLoader(LIMITS)(blue, giveUp.signal);

    giveUp.abort(new Error('a newer call'));

    await expect(loading).rejects.toThrow('a newer call');
  });

  it('gives the reason of a refusal', async () => {
    await expect(modelLoader({ maxBytes: 1000 })(blue, never)).rejects.toMatchObject({ reason: 'ArtifactTooLarge' });
  });
});

describe('where memory is limited', () => {
  const MiB = 2 ** 20;
  const JOBLIB = 'model.joblib';
  const USED = 200 * MiB;
  /** Given: what this process uses itself depends on the tests that have run in it. */
  const use = (bytes: number) => vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(bytes);
  const loadIn = (memoryLimit: number, order: { key: string; path: string }) =>
    modelLoader({ ...LIMITS, memoryLimit }, readArtifact)(order, never);

  beforeEach(() => use(USED));
  afterEach(() => vi.restoreAllMocks());

  it.each([
    ['an archive', blue],
    ['a file alone', { key: JOBLIB, path: fixturePath('iris-bare', JOBLIB) }],
  ])('refuses %s for which there is no room beside what is in use, and says how much it takes', async (_, order) => {
    const loading = loadIn(USED + MiB, order);

    await expect(loading).rejects.toMatchObject({
      reason: 'InsufficientMemory',
      message: expect.stringMatching(
        /^Reading model\.joblib \(1 MiB\) takes up to \d+ MiB beside the 200 MiB in use, the limit of 201 MiB leaves 1 MiB: raise/,
      ) as string,
    });
    await expect(loadIn(USED + 100 * MiB, order)).resolves.toBeDefined();
  });

  it('counts the models that are in memory already', async () => {
    const limit = USED + 100 * MiB;
    await expect(loadIn(limit, blue)).resolves.toBeDefined();

    use(USED + 90 * MiB);

    await expect(loadIn(limit, blue)).rejects.toMatchObject({ reason: 'InsufficientMemory' });
  });

  it('refuses a compressed file for whose content there is no room', async () => {
    const path = join(dir, 'bomb.joblib');
    await writeFile(path, deflateSync(Buffer.alloc(9_000_000), { level: 9 }));
    const order = { key: JOBLIB, path };

    await expect(loadIn(USED + 30 * MiB, order)).rejects.toMatchObject({ reason: 'InsufficientMemory' });
    await expect(loadIn(USED + 300 * MiB, order)).rejects.toMatchObject({ reason: 'LoadFailed' });
  });
});

it.each([
  ['ChecksumMismatch', JSON.stringify({ sha256: '0'.repeat(64) })],
  ['ChecksumMismatch', `{"sha25\\u0036": "${'0'.repeat(64)}"}`],
  ['GoldenMismatch', JSON.stringify({ golden: { inputs: [new Array(12).fill(0)], outputs: [[1, 0, 0]] } })],
  ['ArtifactInvalid', JSON.stringify({ features: ['a'] })],
])('refuses a model with %s by its own metadata', async (reason, metadata) => {
  const path = join(dir, reason);
  const model = archived('basket-blue', 'model.joblib');
  await writeFile(
    path,
    await anArchive([
      ['model.joblib', model],
      ['metadata.json', metadata],
    ]),
  );

  await expect(modelLoader(LIMITS, readArtifact)({ key: KEY, path }, never)).rejects.toMatchObject({ reason });
});

it('warms up a model of a table that refuses all but the categories it knows', async () => {
  const path = new URL('../../test/fixtures/estimators/Pipeline+OneHotEncoder-drop/1.9.1.joblib', import.meta.url)
    .pathname;

  const { model } = await modelLoader(LIMITS, readArtifact)({ key: 'model.joblib', path }, never);

  expect(() => model.predict(Float64Array.of(-1, -1, -1), 1)).toThrow('Found unknown categories');
});
