import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UnreadableBodyError, ValidationError, parseObject, parsePredictRequest } from './predict-body.ts';
import { keysInOrder } from './python-json.ts';

interface Case {
  readonly body: string;
  readonly type: string;
  readonly status: number;
  readonly answer: unknown;
}

const cases = JSON.parse(
  readFileSync(new URL('../../test/fixtures/validation.json', import.meta.url), 'utf8'),
) as readonly Case[];

function answerTo(body: Uint8Array, type: string): { status: number; answer: unknown } {
  try {
    const { items, hasCustomer, hasStore } = parsePredictRequest(body, type === '' ? undefined : type);
    const entries = keysInOrder(items).map((key) => [key, items[key]]);
    return { status: 200, answer: { items: entries, customer: hasCustomer, store: hasStore } };
  } catch (error) {
    if (error instanceof ValidationError) return { status: 422, answer: { detail: error.issues } };
    if (error instanceof UnreadableBodyError) return { status: 400, answer: { detail: error.message } };
    throw error;
  }
}

/** NaN and the infinities have no JSON form: both sides are compared as they would be sent. */
function sent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Python dies of what it cannot write back as JSON; we say what is wrong instead. */
const pythonDies = cases.filter(({ status }) => status === 500);
const valid = cases.filter(({ status }) => status === 200);
const refused = cases.filter(({ status }) => status === 422 || status === 400);

describe('a body of POST /predict', () => {
  it.each(refused.map((row) => [Buffer.from(row.body, 'base64').toString().slice(0, 60), row] as const))(
    'is refused in the words of pydantic: %s',
    (_, { body, type, status, answer }) => {
      const ours = answerTo(Buffer.from(body, 'base64'), type);

      expect({ status: ours.status, answer: sent(ours.answer) }).toEqual({ status, answer });
    },
  );

  it('is accepted where pydantic accepts it, with the entries in the order of the text', () => {
    for (const { body, type, answer } of valid) {
      const ours = answerTo(Buffer.from(body, 'base64'), type);

      expect({ status: ours.status, answer: sent(ours.answer) }).toEqual({ status: 200, answer });
    }
  });

  it('is never our internal error where Python dies', () => {
    for (const { body, type } of pythonDies) {
      expect([200, 422]).toContain(answerTo(Buffer.from(body, 'base64'), type).status);
    }
  });

  it('keeps a __proto__ key apart from prototypes', () => {
    const { items } = parsePredictRequest(
      Buffer.from('{"basket_items":{"__proto__":{"price":9},"1":{},"0":{}}}'),
      undefined,
    );

    expect(keysInOrder(items)).toEqual(['__proto__', '1', '0']);
    expect(({} as Record<string, unknown>)['price']).toBeUndefined();
  });
});

it('has learnt from enough bodies of each kind', () => {
  expect([refused.length > 300, valid.length > 100, pythonDies.length > 0]).toEqual([true, true, true]);
});

describe('any object', () => {
  const read = (text: string, type?: string) => parseObject(Buffer.from(text), type);

  it.each([
    ['plain keys', '{"b":1,"a":2}', ['b', 'a']],
    ['keys that look like numbers', '{"b":1,"10":2,"9":3}', ['b', '10', '9']],
    ['such keys behind escapes', '{"b":1,"\\u0031":2,"\\u0030":3}', ['b', '1', '0']],
    ['such keys before a space', '{"b":1,"9" :3}', ['b', '9']],
  ])('keeps the order of %s', (_, text, keys) => {
    expect(keysInOrder(read(text))).toEqual(keys);
  });

  it('takes NaN as Python does', () => {
    expect(read('{"a":NaN,"b":-Infinity}')).toEqual({ a: NaN, b: -Infinity });
  });

  it.each([
    ['nothing', '', 'missing'],
    ['null', 'null', 'missing'],
    ['a list', '[1]', 'model_attributes_type'],
    ['text', '"x"', 'model_attributes_type'],
    ['a number', '1', 'model_attributes_type'],
    ['half an object', '{"a":', 'json_invalid'],
  ])('refuses %s in the form of FastAPI', (_, text, type) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        issues: [expect.objectContaining({ type, loc: expect.arrayContaining(['body']) as string[] })],
      }) as Error,
    );
  });

  it('refuses what is not declared as JSON', () => {
    expect(() => read('{}', 'text/plain')).toThrow(ValidationError);
    expect(() => read(`{"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`)).toThrow(UnreadableBodyError);
  });
});
