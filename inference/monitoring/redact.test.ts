import { describe, expect, it } from 'vitest';
import { REDACTED, redact } from './redact.ts';

const fields = { names: new Set(['age', 'email']), columns: ['income', 'age', 'rooms'] };

describe('takes out', () => {
  it.each([
    [
      'members of that name, however deep',
      { a: [{ email: 'x', b: { age: { c: 1 } } }] },
      { a: [{ email: REDACTED, b: { age: REDACTED } }] },
    ],
    [
      'columns of V1 rows',
      { instances: [[1, 2, 3], { income: 1, age: 2 }] },
      { instances: [[1, null, 3], { income: 1, age: REDACTED }] },
    ],
    [
      'columns of a V2 table, in rows',
      {
        inputs: [
          {
            name: 'x',
            shape: [2, 3],
            data: [
              [1, 2, 3],
              [4, 5, 6],
            ],
          },
        ],
      },
      {
        inputs: [
          {
            name: 'x',
            shape: [2, 3],
            data: [
              [1, null, 3],
              [4, null, 6],
            ],
          },
        ],
      },
    ],
    [
      'columns of a V2 table, all in one list',
      { inputs: [{ name: 'x', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }] },
      { inputs: [{ name: 'x', shape: [2, 3], data: [1, null, 3, 4, null, 6] }] },
    ],
    [
      'tensors of that name',
      {
        inputs: [
          { name: 'age', shape: [3, 1], data: [1, 2, 3] },
          { name: 'rooms', shape: [3], data: [4, 5, 6] },
        ],
      },
      {
        inputs: [
          { name: 'age', shape: [3, 1], data: REDACTED },
          { name: 'rooms', shape: [3], data: [4, 5, 6] },
        ],
      },
    ],
  ])('%s', (_, body, expected) => {
    expect(redact(body, fields)).toEqual(expected);
  });

  it('all rows where the columns have no names', () => {
    const nameless = { ...fields, columns: [] };

    expect(redact({ instances: [[1, 2]] }, nameless)).toEqual({ instances: REDACTED });
    expect(redact({ inputs: [{ name: 'x', shape: [1, 2], data: [1, 2] }] }, nameless)).toEqual({
      inputs: [{ name: 'x', shape: [1, 2], data: REDACTED }],
    });
  });

  it('what is too deep to look at', () => {
    let deep: unknown = { email: 'x' };
    for (let level = 0; level < 100_000; level += 1) deep = [deep];

    expect(JSON.stringify(redact(deep, fields))).toContain(REDACTED);
    expect(JSON.stringify(redact(deep, fields))).not.toContain('email');
  });
});

it.each([1, 'age', null, { income: 1, list: [1, 2, 3] }, { data: [1, 2, 3] }, { instances: 7 }])(
  'leaves %j as it is',
  (body) => {
    expect(redact(body, fields)).toEqual(body);
  },
);

it('leaves everything as it is when nothing is named', () => {
  const body = { instances: [[1]], email: 'x' };

  expect(redact(body, { names: new Set(), columns: [] })).toBe(body);
});

it('keeps a member called __proto__ a member', () => {
  const redacted = redact(JSON.parse('{"__proto__": {"email": 1}, "a": 1}'), fields);

  expect(JSON.stringify(redacted)).toBe(`{"__proto__":{"email":"${REDACTED}"},"a":1}`);
});
