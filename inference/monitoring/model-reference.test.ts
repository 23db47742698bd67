import { describe, expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import { MAX_WATCHED } from './model-reference.ts';

const histogram = { edges: [0, 1, 2], counts: [1, 3] };
const two = { classes: ['no', 'yes'] };
const texts = {
  texts: new Map([
    [
      1,
      new Map([
        ['red', 0],
        ['blue', 1],
      ]),
    ],
  ]),
};

describe('a reference that does not fit is an invalid artifact that names the field', () => {
  it.each([
    ['reference', [], /reference: Invalid input/],
    ['an unknown key', { feature: {} }, /reference: Unrecognized key: "feature"/],
    ['no such feature', { features: { c: histogram } }, /reference\.features\.c: the model has no such feature/],
    ['both forms', { features: { a: { ...histogram, categories: [1] } } }, /features\.a\.edges: .*either edges or/],
    ['neither form', { features: { a: { counts: [1] } } }, /features\.a\.edges: .*either edges or categories/],
    [
      'counts of other bins',
      { features: { a: { edges: [0, 1], counts: [1, 2] } } },
      /a\.counts: there are 1 bins and 2/,
    ],
    ['edges that fall', { features: { a: { edges: [0, 2, 2], counts: [1, 2] } } }, /a\.edges: edges must ascend/],
    ['an edge that is text', { features: { a: { edges: [0, '2'], counts: [1] } } }, /a\.edges\.1: .*expected number/],
    ['a negative count', { features: { a: { edges: [0, 2], counts: [-1] } } }, /a\.counts\.0: /],
    ['no rows', { features: { a: { edges: [0, 2], counts: [0] } } }, /a\.counts: at least one count/],
    ['a category twice', { features: { a: { categories: [1, '1'], counts: [1, 1] } } }, /a\.categories: .*twice/],
    [
      'text for a number',
      { features: { a: { categories: ['x'], counts: [1] } } },
      /a\.categories\.0: "x" is no number/,
    ],
    [
      'an unknown class',
      { prediction: { categories: ['low', 'big'], counts: [1, 1] } },
      /prediction\.categories\.1: "big"/,
    ],
    ['edges for three classes', { prediction: histogram }, /reference\.prediction\.edges: .* two classes/],
  ])('%s', (_, reference, message) => {
    expect(() => aServedModel(reference)).toThrow(
      expect.objectContaining({
        reason: 'ArtifactInvalid',
        message: expect.stringMatching(message) as string,
      }) as Error,
    );
  });

  it('edges of a feature that is text', () => {
    expect(() => aServedModel({ features: { b: histogram } }, texts)).toThrow(/features\.b\.edges: .*text/);
  });

  it('text for a value', () => {
    const reference = { prediction: { categories: ['x'], counts: [1] } };
    expect(() => aServedModel(reference, { task: 'clusterer', classes: [] })).toThrow(/prediction\.categories\.0/);
  });
});

it('is taken in the order of the columns', () => {
  const { reference } = aServedModel({ features: { b: histogram, a: { categories: [0, 1], counts: [1, 1] } } });

  expect(reference).toMatchObject({ names: ['a', 'b'], ignored: 0 });
  expect([...(reference?.columns ?? [])]).toEqual([0, 1]);
  expect([...(reference?.bins.isCategorical ?? [])]).toEqual([1, 0]);
});

it('turns texts into what rows hold: those unknown to the model are one', () => {
  const { reference } = aServedModel(
    { features: { b: { categories: ['red', 'pink', 'blue', 'grey'], counts: [4, 1, 3, 2] } } },
    texts,
  );

  expect([...(reference?.bins.points ?? [])]).toEqual([-1, 0, 1]);
  expect([...(reference?.bins.expected ?? [])]).toEqual([0.3, 0.4, 0.3, 0, 0]);
});

it('takes classes for what a CSV file writes', () => {
  const prediction = { categories: ['True', 'False'], counts: [3, 1] };

  expect(aServedModel({ prediction }, { classes: [false, true] }).reference?.prediction?.bins.expected).toEqual(
    Float64Array.of(0.25, 0.75, 0, 0),
  );
  expect(aServedModel({ prediction: { categories: ['7'], counts: [1] } }, { classes: [5, 7] })).toMatchObject({
    reference: { prediction: { of: 'prediction', bins: { points: Float64Array.of(1) } } },
  });
});

it.each([
  ['the value of a regressor', { task: 'regressor', classes: [] }, 'prediction'],
  ['the probability of the second of two classes', two, 'probability'],
] as const)('counts %s between edges', (_, change, of) => {
  expect(aServedModel({ prediction: histogram }, change).reference?.prediction?.of).toBe(of);
});

it(`watches ${MAX_WATCHED} features, the first of the model`, () => {
  const names = Array.from({ length: MAX_WATCHED + 3 }, (_, at) => String(at));
  const features = Object.fromEntries(names.map((name) => [name, histogram]));

  const { reference } = aServedModel({ features }, { features: names.length }, []);

  expect(reference).toMatchObject({ names: names.slice(0, MAX_WATCHED), ignored: 3 });
});
