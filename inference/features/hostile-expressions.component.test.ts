// Expressions and bodies that nobody would write: each ends in a row, or in an error that names its place. Nothing else, and no side effect.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LoadError } from '../load-error.ts';
import { parseManifest } from '../model/manifest.ts';
import { UnreadableBodyError, ValidationError, parseObject } from '../validation/predict-body.ts';
import { FeatureError } from './errors.ts';
import { compilePreprocessing } from './preprocessing.ts';
import type { Preprocessing } from './preprocessing.ts';

const TOKENS = [
  ...['body', 'x', 'a', 'b', '__proto__', 'constructor', 'prototype', 'this', 'process', 'globalThis', 'cel', 'google'],
  ...[
    'has',
    'size',
    'sum',
    'values',
    'get',
    'map',
    'filter',
    'all',
    'exists',
    'bind',
    'matches',
    'split',
    'string',
    'eval',
  ],
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '.',
    '.?',
    ',',
    ':',
    '?',
    '+',
    '-',
    '*',
    '/',
    '%',
    '==',
    '!=',
    '<',
    'in',
    '&&',
    '||',
    '!',
  ],
  ...[
    '1',
    '0',
    '2.5',
    '1e308',
    '99999999999999999999',
    '0xFFFFFFFFFFFFFFFF',
    '1u',
    '"a"',
    "'b'",
    '"""c"""',
    'r"\\"',
    'b"x"',
  ],
  ...['true', 'null', '\\', '\u0000', '\ud800', '//', '\n', '`', '$', '@', ';', '=>', 'new', 'import', 'in '],
];
const tokens = fc.array(fc.constantFrom(...TOKENS), { maxLength: 25 }).map((parts) => parts.join(''));
/** Right more often than not, so that it gets as far as a body. */
const grammar = fc.letrec<{ text: string }>((tie) => {
  const many = fc.array(tie('text'), { maxLength: 3 });
  return {
    text: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(
        'body',
        'body.a',
        'body.b',
        'body["constructor"]',
        'body.__proto__',
        'x',
        '1',
        '-2.5',
        '"a"',
        'null',
        'true',
      ),
      fc
        .tuple(tie('text'), fc.constantFrom('+', '-', '*', '/', '%', '==', '<', 'in', '&&', '||'), tie('text'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(
          fc.constantFrom(
            'size',
            'sum',
            'mean',
            'values',
            'get',
            'double',
            'string',
            'max',
            'ratio',
            'has',
            'dyn',
            'type',
          ),
          many,
        )
        .map(([name, given]) => `${name}(${given.join()})`),
      fc
        .tuple(tie('text'), fc.constantFrom('map', 'filter', 'all', 'exists', 'exists_one'), tie('text'))
        .map(([a, name, b]) => `dyn(${a}).${name}(x, ${b})`),
      fc.tuple(tie('text'), tie('text')).map(([a, b]) => `${a}[${b}]`),
      many.map((given) => `[${given.join()}]`),
      tie('text').map((a) => `{"a": ${a}}`),
      fc.tuple(tie('text'), tie('text'), tie('text')).map((parts) => `(${parts[0]} ? ${parts[1]} : ${parts[2]})`),
    ),
  };
}).text;
const keys = fc.constantFrom('a', 'b', '1', '10', '__proto__', 'constructor', 'toString', '');
const bodies = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, 0, -1.5, 1e300, '', 'a', '😀\ud800'),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
  ),
})).value;
const body = fc.oneof(
  fc.record({ a: bodies, b: bodies }).map((value) => JSON.stringify(value)),
  bodies.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.constantFrom(
    '{"a":NaN,"b":[Infinity]}',
    `{"a":${'['.repeat(900)}${']'.repeat(900)}}`,
    `{"a":${'{"b":'.repeat(500)}1${'}'.repeat(500)}}`,
  ),
);

it.each([
  ['tokens', tokens, 2_000],
  ['sentences', grammar, 2_000],
])('%s end in a row or an error of their own', async (_, expressions, numRuns) => {
  const globals = Object.getOwnPropertyNames(globalThis).join();
  let rows = 0;

  await fc.assert(
    fc.asyncProperty(
      expressions,
      expressions,
      fc.array(body, { minLength: 1, maxLength: 4 }),
      async (first, second, texts) => {
        const preprocessing =
          (await loaded({ let: { x: first }, features: { f: second } })) ?? (await loaded({ f: second }));
        if (preprocessing === undefined) return;
        for (const text of texts) rows += rowOf(preprocessing, text)?.length ?? 0;
      },
    ),
    { numRuns, seed: 4_711 },
  );

  expect(rows).toBeGreaterThan(20);
  expect(Object.getOwnPropertyNames(globalThis).join()).toBe(globals);
  expect({}).toEqual(Object.create(Object.prototype));
  expect(Object.keys(Object.prototype)).toEqual([]);
});

it('any metadata is read, or refused by the field', async () => {
  const values = fc.oneof(bodies, fc.constantFrom('basket', 'cel', 'body.a', '1'));
  const metadata = fc.record(
    {
      features: fc.oneof(fc.constant(['a']), values),
      preprocessing: fc.oneof(fc.dictionary(keys, values), values),
      labels: values,
      thresholds: values,
    },
    { requiredKeys: [] },
  );

  await fc.assert(
    fc.asyncProperty(metadata, async (given) => {
      try {
        const manifest = parseManifest(Buffer.from(JSON.stringify(given)));
        if (manifest.preprocessing !== 'basket')
          await compilePreprocessing(manifest.preprocessing, manifest.features, { texts: new Map() });
      } catch (error) {
        expect(error).toBeInstanceOf(LoadError);
        expect(error).toMatchObject({
          reason: 'ArtifactInvalid',
          message: expect.stringMatching(
            /^metadata\.json is not usable: (features|preprocessing|labels|thresholds)/,
          ) as string,
        });
      }
    }),
    { numRuns: 3_000, seed: 4_711 },
  );
});

async function loaded(preprocessing: unknown): Promise<Preprocessing | undefined> {
  try {
    const manifest = parseManifest(Buffer.from(JSON.stringify({ features: ['f'], preprocessing })));
    if (manifest.preprocessing === 'basket') return undefined;
    return await compilePreprocessing(manifest.preprocessing, manifest.features, { texts: new Map() });
  } catch (error) {
    expect(error).toBeInstanceOf(LoadError);
    expect(error).toMatchObject({ reason: 'ArtifactInvalid' });
    return undefined;
  }
}

function rowOf({ rowOf }: Preprocessing, text: string): Float64Array | undefined {
  try {
    return rowOf(parseObject(Buffer.from(text), undefined));
  } catch (error) {
    if (error instanceof ValidationError || error instanceof UnreadableBodyError) return undefined;
    expect(error).toBeInstanceOf(FeatureError);
    expect((error as FeatureError).message).toMatch(/^(features\.f|let\.x): \S/);
    return undefined;
  }
}
