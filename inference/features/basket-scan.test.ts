import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { requestBodies } from '../../test/bench/bodies.ts';
import { parsePredictRequest } from '../validation/predict-body.ts';
import { BasketScan } from './basket-scan.ts';
import { basketFeatures } from './basket.ts';

const CATEGORIES = ['dairy', 'unknown', 'produce', ''];

/** The sums of a scan in the order of `general`; undefined where it leaves the body to the general way. */
function scanned(body: Buffer): readonly number[] | undefined {
  const scan = new BasketScan(CATEGORIES);
  if (!scan.read(body)) return undefined;
  const { items, value, unique, high, hasCustomer, hasStore, counts } = scan.sums;
  return [items, value, unique, unique === 0 ? 0 : high / unique, Number(hasCustomer), Number(hasStore), ...counts];
}

/** Throws where the body is refused. */
function general(body: Buffer): readonly number[] {
  const features = basketFeatures(parsePredictRequest(body, 'application/json'));
  const names = [
    'total_items',
    'total_value',
    'unique_items',
    'high_value_item_ratio',
    'has_customer_id',
    'has_store_id',
  ];
  return [...names, ...CATEGORIES.map((name) => `category_${name}_count`)].map((name) => features.get(name) ?? 0);
}

const quantity = fc.oneof(
  fc.nat(9),
  fc.integer(),
  fc.constantFrom('1e3', '0', '-0', '007', '1.', '.5', '1.50', 'true', 'null', 'NaN', '9007199254740993'),
);
const price = fc.oneof(
  fc.integer({ min: 0, max: 99_999 }).map((cents) => cents / 100),
  fc.double({ noNaN: true }),
  fc.constantFrom(
    '0.1',
    '-12.345',
    '123456789.0123456789',
    '50',
    '50.0',
    '50.000001',
    '1E2',
    '"5"',
    '0x10',
    '-',
    '- 1',
  ),
);
const text = fc.oneof(
  fc.constantFrom(
    '"dairy"',
    '"produce"',
    '"unknown"',
    '""',
    '"d\\u0061iry"',
    '"caf\u00e9"',
    '"\u0007"',
    'null',
    '7',
    '[]',
    '{}',
    '"2026-11-30T12:00:00Z"',
  ),
  fc.string().map((value) => JSON.stringify(value)),
);
const space = fc.oneof({ weight: 12, arbitrary: fc.constantFrom('', ' ') }, fc.constantFrom('\n\t', '\u00a0'));
const member = (name: string, value: fc.Arbitrary<unknown>) =>
  fc.tuple(space, value, space).map(([before, given, after]) => `${before}"${name}":${before}${String(given)}${after}`);
const object = (members: fc.Arbitrary<readonly string[]>) => members.map((list) => `{${list.join(',')}}`);
const some = (...members: fc.Arbitrary<string>[]) => fc.array(fc.oneof(...members), { maxLength: 5 });

const item = object(
  some(member('quantity', quantity), member('price', price), member('category', text), member('product_id', text)),
);
const id = fc.oneof(fc.nat(12).map(String), fc.constantFrom('a', '__proto__', 'Aa', 'BB'));
const items = object(
  fc.array(
    id.chain((name) => member(name, item)),
    { maxLength: 5 },
  ),
);
const body = object(
  fc
    .tuple(
      member('basket_items', items),
      some(member('customer_id', text), member('store_id', text), member('timestamp', text)),
    )
    .map(([basket, others]) => [basket, ...others]),
);

describe('a scan of a basket', () => {
  it('has the numbers of the general way, or leaves the body to it', () => {
    let taken = 0;

    fc.assert(
      fc.property(body, (given) => {
        const found = scanned(Buffer.from(given));
        taken += Number(found !== undefined);
        if (found !== undefined) expect(found).toEqual(general(Buffer.from(given)));
      }),
      { numRuns: 1500, seed: 1 },
    );

    expect(taken).toBeGreaterThan(50);
  });

  it('takes nothing that the general way refuses, however a body is damaged', () => {
    const random = seededRandom(3);
    const below = (limit: number) => Math.floor(random() * limit);
    const bodies = requestBodies().baskets.map((basket) => Buffer.from(basket));
    let taken = 0;

    for (let turn = 0; turn < 6000; turn += 1) {
      const damaged = Buffer.from(bodies[below(bodies.length)] ?? '');
      for (let times = below(3); times >= 0; times -= 1) {
        damaged[below(damaged.length)] = random() < 0.5 ? below(256) : (damaged[below(damaged.length)] ?? 0);
      }
      const found = scanned(random() < 0.2 ? damaged.subarray(0, below(damaged.length)) : damaged);
      if (found === undefined) continue;
      taken += 1;
      expect(found).toEqual(general(damaged));
    }

    expect(taken).toBeGreaterThan(800);
  });

  it('takes baskets as JavaScript and Python write them', () => {
    const bodies = requestBodies().baskets;
    const spaced = bodies.map((basket) => basket.replaceAll('":', '": ').replaceAll(',"', ', "'));

    expect(spaced[0]).toContain('": ');
    expect([...bodies, ...spaced].filter((basket) => scanned(Buffer.from(basket)) === undefined)).toEqual([]);
  });

  it.each([
    ['an id that comes twice', '{"basket_items":{"a":{"price":1},"a":{"price":2}}}'],
    ['a field that comes twice', '{"basket_items":{"a":{"price":1,"price":2}}}'],
    ['a member that comes twice', '{"basket_items":{},"store_id":"a","store_id":""}'],
    ['an escape', '{"basket_items":{"a":{"category":"d\\u0061iry"}}}'],
    ['letters beyond ASCII', '{"basket_items":{"a":{"category":"café"}}}'],
    ['a category that is no text', '{"basket_items":{"a":{"category":true}}}'],
    [
      'more than there is room for',
      `{"basket_items":{${Array.from({ length: 65 }, (_, at) => `"i${at}":{}`).join()}}}`,
    ],
    ['no basket', '{"store_id":"a"}'],
    ['a date that is none', '{"basket_items":{},"timestamp":"yesterday"}'],
    ['something behind it', '{"basket_items":{}} {}'],
    ['nothing', ''],
  ])('leaves %s to the general way', (_, given) => {
    expect(scanned(Buffer.from(given))).toBeUndefined();
  });

  it('reads a body after one that it gave up', () => {
    const scan = new BasketScan(CATEGORIES);
    scan.read(Buffer.from('{"basket_items":{"a":{"quantity":7,"category":"dairy"},'));

    expect(scan.read(Buffer.from('{"basket_items":{"a":{}}}'))).toBe(true);
    expect(scan.sums).toMatchObject({ items: 1, unique: 1, counts: Float64Array.of(0, 1, 0, 0) });
  });
});
