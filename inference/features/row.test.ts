import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePredictRequest } from '../validation/predict-body.ts';
import { BasketError, basketFeatures } from './basket.ts';
import { compileRow } from './row.ts';
import type { RowOf } from './row.ts';

const requestOf = (text: string) => parsePredictRequest(Buffer.from(text), undefined);
const bodyOf = (items: object, more = {}) => JSON.stringify({ basket_items: items, ...more });
const basket = (items: object, more = {}) => requestOf(bodyOf(items, more));
const ask = (rowOf: RowOf, body: string) => [...rowOf(Buffer.from(body), 'application/json')];

describe('the features of a basket', () => {
  it('are computed as in Python', () => {
    const request = basket(
      { a: { quantity: 2, price: 60, category: 'dairy' }, b: { price: 10 }, c: { quantity: 1, category: 'dairy' } },
      { customer_id: 'c', store_id: '' },
    );

    expect([...basketFeatures(request)]).toEqual([
      ['total_items', 4],
      ['total_value', 130],
      ['avg_item_value', 32.5],
      ['unique_items', 3],
      ['has_customer_id', 1],
      ['has_store_id', 0],
      ['category_dairy_count', 3],
      ['category_dairy_ratio', 0.75],
      ['category_unknown_count', 1],
      ['category_unknown_ratio', 0.25],
      ['high_value_item_ratio', 1 / 3],
    ]);
  });

  it.each([
    ['an empty basket', {}, { total_items: 0, avg_item_value: 0, high_value_item_ratio: 0 }],
    [
      'quantities that add up to nothing',
      { a: { quantity: 1, price: 5, category: 'x' }, b: { quantity: -1 } },
      { avg_item_value: 0, category_x_ratio: 0 },
    ],
    ['a null category', { a: { category: null } }, { category_None_count: 1 }],
    [
      'True and 1 as one category, named by the first',
      { a: { category: true }, b: { category: 1 } },
      { category_True_count: 2 },
    ],
    ['a price of exactly 50', { a: { price: 50 } }, { high_value_item_ratio: 0 }],
  ])('of %s', (_, items, expected) => {
    expect(Object.fromEntries(basketFeatures(basket(items)))).toMatchObject(expected);
  });

  it('are added in the order of the entries, even where keys look like numbers', () => {
    const sum = (text: string) => basketFeatures(requestOf(text)).get('total_value');

    expect(sum('{"basket_items":{"3":{"price":1e16},"2":{"price":1},"1":{"price":-1e16}}}')).toBe(0);
    expect(sum('{"basket_items":{"1":{"price":1e16},"3":{"price":-1e16},"2":{"price":1}}}')).toBe(1);
  });
});

describe('a compiled row', () => {
  const names = [
    'category_a_ratio',
    'total_items',
    'no_such_feature',
    'category_a_count',
    'category_None_count',
    'high_value_item_ratio',
    'total_value',
    'avg_item_value',
    'unique_items',
    'has_customer_id',
    'has_store_id',
    'category_unknown_count',
    'constructor',
  ];

  it('has the numbers of the general form, whatever the basket', () => {
    const number = fc.oneof(
      fc.integer({ min: -3, max: 90 }),
      fc.double({ min: -5, max: 99, noNaN: true }),
      fc.boolean(),
    );
    const item = fc.record(
      {
        quantity: number,
        price: number,
        category: fc.oneof(fc.constantFrom('a', 'b', 'None', 'unknown', ''), fc.constantFrom(null, 1, true)),
      },
      { requiredKeys: [] },
    );
    const rowOf = compileRow(names, names.length, 'Forest');

    fc.assert(
      fc.property(fc.dictionary(fc.string(), item), fc.boolean(), (items, customer) => {
        const body = bodyOf(items, customer ? { customer_id: 'x' } : {});
        const features = basketFeatures(requestOf(body));

        expect(ask(rowOf, body)).toEqual(names.map((name) => features.get(name) ?? 0));
      }),
      { numRuns: 300 },
    );
  });

  it('passes all features in order where the model names none', () => {
    const body = bodyOf({ a: { category: 'x' } });

    expect(ask(compileRow([], 9, 'Forest'), body)).toEqual([...basketFeatures(requestOf(body)).values()]);
    expect(() => ask(compileRow([], 8, 'Forest'), body)).toThrow(
      'X has 9 features, but Forest is expecting 8 features as input.',
    );
  });

  it('is refused as by scikit-learn when the names are not as many as the model takes', () => {
    expect(() => ask(compileRow(['total_items'], 4, 'Forest'), bodyOf({}))).toThrow(
      'X has 1 features, but Forest is expecting 4 features as input.',
    );
    expect(() => ask(compileRow(['total_items'], 4, 'Forest'), bodyOf({ a: 5 }))).toThrow(BasketError);
  });
});
