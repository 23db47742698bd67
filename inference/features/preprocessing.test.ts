import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../model/manifest.ts';
import { parseObject } from '../validation/predict-body.ts';
import { compilePreprocessing } from './preprocessing.ts';
import type { Preprocessing } from './preprocessing.ts';
import { compileRow } from './row.ts';

const TEXTS = new Map<number, ReadonlyMap<string, number>>();

/** What metadata.json with these expressions makes of bodies. */
async function preprocessingOf(
  preprocessing: unknown,
  features: readonly string[],
  texts = TEXTS,
): Promise<Preprocessing> {
  const manifest = parseManifest(Buffer.from(JSON.stringify({ features, preprocessing })));
  if (manifest.preprocessing === 'basket') throw new Error('these are no expressions');
  return compilePreprocessing(manifest.preprocessing, manifest.features, { texts });
}

async function valueOf(expression: string, body: unknown, texts = TEXTS): Promise<number | undefined> {
  const { rowOf } = await preprocessingOf({ x: expression }, ['x'], texts);
  return rowOf(parseObject(Buffer.from(JSON.stringify(body)), undefined))[0];
}

describe('the basket of docs/preprocessing.md', () => {
  const bodies = (
    JSON.parse(readFileSync(new URL('../../test/fixtures/baskets.json', import.meta.url), 'utf8')) as { body: string }[]
  ).map(({ body }) => Buffer.from(body));
  const docs = readFileSync(new URL('../../docs/preprocessing.md', import.meta.url), 'utf8');
  const { features, preprocessing } = JSON.parse(/```json\n(.*?)```/s.exec(docs)?.[1] ?? '') as {
    readonly features: readonly string[];
    readonly preprocessing: unknown;
  };

  it('is the built-in one, to the last bit', async () => {
    const byExpressions = await preprocessingOf(preprocessing, features);
    const builtIn = compileRow(features, features.length, 'Forest');

    expect(bodies.length).toBeGreaterThan(200);
    for (const body of bodies) {
      expect([body.toString(), ...byExpressions.rowOf(parseObject(body, undefined))]).toEqual([
        body.toString(),
        ...builtIn(body, 'application/json'),
      ]);
    }
  });
});

describe('a feature', () => {
  it.each([
    ['a number', 'body.a + 1', 3],
    ['a whole number', 'size([1, 2])', 2],
    ['true', 'body.a == 2', 1],
    ['false', 'body.a > 2', 0],
    ['null', 'body.none', NaN],
    ['a default', 'get(body, "b", -1)', -1],
    ['minus zero', '-body.zero', -0],
  ])('may be %s', async (_, expression, expected) => {
    expect(await valueOf(expression, { a: 2, none: null, zero: 0 })).toBe(expected);
  });

  it('is text where the column takes text', async () => {
    const texts = new Map([
      [
        0,
        new Map([
          ['red', 0],
          ['blue', 1],
        ]),
      ],
    ]);

    expect(await valueOf('body.color', { color: 'blue' }, texts)).toBe(1);
    expect(await valueOf('body.color', { color: 'pink' }, texts)).toBe(-1);
    expect(await valueOf('body.color', { color: null }, texts)).toBeNaN();
    await expect(valueOf('body.color', { color: 3 }, texts)).rejects.toThrow('features.x: a number is no text');
    await expect(valueOf('1', {}, texts)).rejects.toThrow(
      'preprocessing.features.x: it gives int, the model takes text',
    );
  });

  it.each([
    ['body.a', { a: 'x' }, 'features.x: a text is no number'],
    ['body.a', { a: [1] }, 'features.x: a list is no number'],
    ['body.a', {}, 'features.x: "a" is missing'],
    ['body.a.b', { a: 1 }, 'features.x: a number has no "b"'],
  ])('%s of %j is refused by its name', async (expression, body, message) => {
    await expect(valueOf(expression, body)).rejects.toThrow(message);
  });
});

describe('values under let', () => {
  it('may use those before them, and are refused by their name', async () => {
    const { rowOf: row } = await preprocessingOf(
      {
        let: { n: 'body.n', twice: 'n * 2', both: '[n, twice]' },
        features: { b: 'sum(both)', a: 'both.map(x, x + n)[1]' },
      },
      ['a', 'b'],
    );

    expect([...row({ n: 2 })]).toEqual([6, 6]);
    expect(() => row({ n: 'x' })).toThrow('let.twice: a text * a number cannot be computed');
  });

  it('are new for every request', async () => {
    const { rowOf: row } = await preprocessingOf({ let: { n: 'body.n' }, features: { a: 'n' } }, ['a']);

    expect(() => row({})).toThrow('let.n: "n" is missing');
    expect([...row({ n: 1 })]).toEqual([1]);
    expect(() => row({})).toThrow('let.n: "n" is missing');
  });
});

describe('an artifact is refused for', () => {
  it.each<[string, unknown, readonly string[], string]>([
    ['another name', 'baskets', ['a'], 'preprocessing: '],
    ['a list', ['a'], ['a'], 'preprocessing: '],
    ['an expression that is no text', { a: 1 }, ['a'], 'preprocessing.a: an expression is a text'],
    ['one in the long form', { features: { a: {} } }, ['a'], 'preprocessing.features.a: an expression is a text'],
    [
      'another language',
      { language: 'python', features: { a: '1' } },
      ['a'],
      'preprocessing.language: only "cel" is known',
    ],
    ['an unknown setting', { lets: {}, features: { a: '1' } }, ['a'], 'preprocessing: Unrecognized key: "lets"'],
    ['no list of features', { a: '1' }, [], '"features" of metadata.json must list'],
    ['a feature without expression', { a: '1' }, ['a', 'b'], 'preprocessing.features.b: it has no expression'],
    ['an expression without feature', { a: '1', b: '1' }, ['a'], 'preprocessing.features.b: it is not in "features"'],
    ['a feature of a prototype', {}, ['constructor'], 'preprocessing.features.constructor: it has no expression'],
    ['an expression that breaks off', { a: 'body.' }, ['a'], 'preprocessing.features.a: Expected IDENTIFIER'],
    ['text for a number', { a: '"x"' }, ['a'], 'preprocessing.features.a: it gives string, the model takes numbers'],
    ['an object', { a: '{"x": 1}' }, ['a'], 'preprocessing.features.a: it gives map<string, int>'],
    ['an unknown value', { a: 'b' }, ['a'], 'preprocessing.features.a: Unknown variable: b'],
    [
      'a value that comes later',
      { let: { a: 'b', b: '1' }, features: { f: 'a' } },
      ['f'],
      'preprocessing.let.a: Unknown variable: b',
    ],
    ['a value called body', { let: { body: '1' }, features: { a: '1' } }, ['a'], 'preprocessing.let.body: '],
    ['a value called int', { let: { int: '1' }, features: { a: '1' } }, ['a'], 'preprocessing.let.int: '],
    [
      'a value with a space',
      { let: { 'a b': '1' }, features: { a: '1' } },
      ['a'],
      'preprocessing.let.a b: a name has letters',
    ],
    [
      'a long expression',
      { a: ' '.repeat(4_097) },
      ['a'],
      'preprocessing.features.a: it has more than 4096 characters',
    ],
    [
      'too much of all',
      Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`f${at}`, ' '.repeat(4_000)])),
      Array.from({ length: 33 }, (_, at) => `f${at}`),
      'preprocessing: all expressions together',
    ],
  ])('%s', async (_, preprocessing, features, message) => {
    await expect(preprocessingOf(preprocessing, features)).rejects.toThrow(
      expect.objectContaining({
        reason: 'ArtifactInvalid',
        message: expect.stringContaining(`metadata.json is not usable: `) as string,
      }) as Error,
    );
    await expect(preprocessingOf(preprocessing, features)).rejects.toThrow(message);
  });
});
