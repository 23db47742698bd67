import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildReference } from './build-reference.ts';
import { openTable } from './table.ts';

const TABLES = new URL('../test/fixtures/tables/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('golden.json', TABLES), 'utf8')) as Record<string, object>;

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-cli-'));
});
afterAll(() => rm(dir, { recursive: true }));

interface Order {
  readonly features?: readonly string[];
  readonly label?: string;
  readonly bins?: number;
  readonly delimiter?: string;
}

async function referenceOf(path: string, { features = ['x'], label, bins = 10, delimiter = ',' }: Order = {}) {
  return buildReference(await openTable(path, delimiter), { features, label, bins });
}

/** A CSV file with these lines. */
async function csv(...lines: readonly string[]): Promise<string> {
  const path = join(dir, 'table.csv');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

const columnOf = (values: readonly unknown[]) => csv('x', ...values.map(String));

describe.each([
  'train.csv',
  'train.csv.gz',
  'train.none.parquet',
  'train.snappy.parquet',
  'train.gzip.parquet',
  'train.zstd.parquet',
])('of %s', (file) => {
  const path = new URL(file, TABLES).pathname;

  it('counts what numpy and pandas count', async () => {
    const { amount, many, flag, region, label } = golden;

    expect(await referenceOf(path, { features: ['amount', 'many', 'flag', 'region'], label: 'label' })).toEqual({
      rows: 900,
      features: { amount, many, flag, region },
      prediction: label,
    });
  });

  it('takes whole numbers for classes when they are to be predicted', async () => {
    expect(await referenceOf(path, { features: ['flag'], label: 'items' })).toMatchObject({
      prediction: golden['items'],
    });
  });
});

it('refuses what is no cell', async () => {
  const path = new URL('train.snappy.parquet', TABLES).pathname;

  await expect(referenceOf(path, { features: ['when'] })).rejects.toThrow(
    /column "when" holds neither numbers nor text/,
  );
});

describe('a column', () => {
  it('of two numbers has categories, of a few a bin for each, of many bins with as many rows in each', async () => {
    const two = await referenceOf(await columnOf([5, 5, 7]));
    const few = await referenceOf(await columnOf([4, 1, 2, 2]), { bins: 3 });
    const many = await referenceOf(await columnOf(Array.from({ length: 50_000 }, (_, at) => at)), {
      bins: 4,
    });

    expect(two.features['x']).toEqual({ categories: [5, 7], counts: [2, 1], missing: 0 });
    expect(few.features['x']).toEqual({ edges: [1, 1.5, 3, 4], counts: [1, 2, 1], missing: 0 });
    for (const [at, edge] of (many.features['x']?.edges ?? []).entries()) {
      expect(Math.abs(edge - at * 12_500)).toBeLessThan(1000);
    }
    expect(many.features['x']?.counts.reduce((sum, count) => sum + count)).toBe(50_000);
  });

  it('has fewer bins where one value is frequent', async () => {
    const { features } = await referenceOf(
      await columnOf([...Array<number>(90).fill(0), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      {
        bins: 5,
      },
    );

    expect(features['x']).toEqual({ edges: [0, 10], counts: [100], missing: 0 });
  });

  it.each([
    ['True', 'False', { categories: [0, 1], counts: [1, 1] }],
    ['1e3', ' .5 ', { categories: [0.5, 1000], counts: [1, 1] }],
    ['01', 'A1', { categories: ['01', 'A1'], counts: [1, 1] }],
    ['0x10', '1', { categories: ['0x10', '1'], counts: [1, 1] }],
  ])('with %s and %s is read as pandas does', async (one, other, expected) => {
    expect((await referenceOf(await csv('x,y', `${one},1`, `${other},1`))).features['x']).toMatchObject(expected);
  });

  it('of text in Parquet stays text, in a CSV file it is what it looks like', async () => {
    expect((await referenceOf(await columnOf(['NA', 'n/a', 3]))).features['x']).toEqual({
      categories: [3],
      counts: [1],
      missing: 2,
    });
  });

  it('of flags as a label has the words', async () => {
    const path = await csv('x,y', '1,True', '2,False', '1,True');

    expect((await referenceOf(path, { label: 'y' })).prediction).toMatchObject({
      categories: ['False', 'True'],
      counts: [1, 2],
    });
  });

  it('of fractions as a label has edges', async () => {
    const path = await csv('x,y', '1,0.5', '2,1.5', '1,2.5');

    expect((await referenceOf(path, { label: 'y' })).prediction).toMatchObject({ edges: [0.5, 1, 2, 2.5] });
  });
});

describe('is refused, and it is said why:', () => {
  it.each([
    ['a name that is not there', ['a,b', '1,2'], /there is no column "x"; there are a, b$/],
    ['a name that is there twice', ['x,x', '1,2'], /the header has "x" twice/],
    ['no rows', ['x'], /has no values|no rows/],
    ['no values', ['x,y', ',1', 'NA,2'], /column x has no values/],
    ['infinity', ['x', '1', '-inf'], /column x, row 2: -Infinity is not finite/],
    [
      'infinity in a late row',
      ['x', ...Array.from({ length: 4_999 }, (_, at) => String(at)), 'inf'],
      /column x, row 5000: Infinity/,
    ],
    ['another number of cells', ['x,y', '1,2', '1,2,3'], /is not CSV: .*line 3/],
    ['an open quote', ['x', '"1'], /is not CSV/],
    [
      'a slip in a column of numbers',
      ['x', '0', '12', '3;4', ...Array.from({ length: 200 }, (_, at) => String(at))],
      /column x is no number in row 3 \("3;4"\) and has more than 100 different values/,
    ],
  ])('%s', async (_, lines, message) => {
    await expect(referenceOf(await csv(...lines))).rejects.toThrow(message);
  });

  it('an empty file, and one that is not there', async () => {
    await writeFile(join(dir, 'empty.csv'), '');

    await expect(referenceOf(join(dir, 'empty.csv'))).rejects.toThrow(/is empty: the first line must name the columns/);
    await expect(referenceOf(join(dir, 'none.csv'))).rejects.toThrow(/cannot be read: ENOENT/);
    await expect(referenceOf(join(dir, 'none.parquet'))).rejects.toThrow(/cannot be read as Parquet: ENOENT/);
    await writeFile(join(dir, 'bad.parquet'), 'PAR1 this is none');
    await expect(referenceOf(join(dir, 'bad.parquet'))).rejects.toThrow(/cannot be read as Parquet/);
  });
});

it('takes another delimiter, and a byte order mark', async () => {
  expect(await referenceOf(await csv('\ufeffx;y', '1;2', '3;4'), { delimiter: ';' })).toMatchObject({
    features: { x: { categories: [1, 3] } },
  });
});
