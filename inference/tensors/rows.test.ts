import { describe, expect, it } from 'vitest';
import { rowsOf } from './rows.ts';
import type { Columns } from './rows.ts';
import { BinaryTail, tensorOfJson } from './tensor.ts';

const plain: Columns = { schema: { features: ['a', 'b', 'c'], width: 3 }, model: { texts: new Map() } };
const colours = new Map([
  ['red', 0],
  ['blue', 1],
]);
const mixed: Columns = {
  schema: { features: ['size', 'colour'], width: 2 },
  model: { texts: new Map([[1, colours]]) },
};
const nameless: Columns = { schema: { features: [], width: 3 }, model: { texts: new Map() } };

function tensor(name: string, shape: readonly number[], data: unknown, datatype = 'FP64') {
  return tensorOfJson({ name, shape, datatype, data }, new BinaryTail(new Uint8Array()), 100);
}
const column = (name: string, data: unknown, datatype = 'FP64') => tensor(name, [2], data, datatype);
const values = (...numbers: number[]) => Float64Array.from(numbers);

describe('one tensor', () => {
  it.each([
    ['flat', [1, 2, 3, 4, 5, 6]],
    [
      'nested',
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
  ])('holds the table, %s', (_, data) => {
    expect(rowsOf([tensor('whatever', [2, 3], data)], plain)).toEqual({ values: values(1, 2, 3, 4, 5, 6), count: 2 });
  });

  it('of texts is a table for a model that takes nothing else', () => {
    const model = { texts: new Map([[0, colours]]) };
    const columns = { schema: { features: ['colour'], width: 1 }, model };

    expect(rowsOf([tensor('x', [4, 1], ['blue', 'red', 'green', null], 'BYTES')], columns)).toEqual({
      values: values(1, 0, -1, NaN),
      count: 4,
    });
  });

  it('of one feature needs no second dimension and no name', () => {
    const columns = { schema: { features: [], width: 1 }, model: { texts: new Map() } };

    expect(rowsOf([tensor('x', [2], [7, 8])], columns)).toEqual({ values: values(7, 8), count: 2 });
  });

  it.each([
    [nameless, [2, 2], 'the shape of "x" must be [rows, 3]: the model takes 3 features'],
    [
      plain,
      [1, 4],
      'the shape of "x" must be [rows, 3]: the model takes 3 features, or one tensor of shape [rows] for each of "a", "b", "c"',
    ],
  ] as const)('of another width is refused', (columns, shape, message) => {
    const data = Array.from({ length: shape[0] * shape[1] }, () => 0);

    expect(() => rowsOf([tensor('x', shape, data)], columns)).toThrow(message);
  });

  it('of numbers is refused where a column takes text', () => {
    expect(() => rowsOf([tensor('x', [1, 2], [1, 2])], mixed)).toThrow(
      'column 2 ("colour") takes text: send it as BYTES',
    );
  });
});

describe('a tensor for each column', () => {
  it('may come in any order, as a column or a list, in any datatype', () => {
    const inputs = [column('c', [true, false], 'BOOL'), tensor('a', [2, 1], [[1], [4]]), column('b', [2, 5], 'INT8')];

    expect(rowsOf(inputs, plain)).toEqual({ values: values(1, 2, 1, 4, 5, 0), count: 2 });
  });

  it('may hold texts: unknown ones are -1, missing values NaN', () => {
    const inputs = [column('colour', ['green', null], 'BYTES'), column('size', [null, 3])];

    expect(rowsOf(inputs, mixed)).toEqual({ values: values(NaN, -1, 3, NaN), count: 2 });
  });

  it.each([
    [nameless, ['a', 'b', 'c'], "the model's features have no names: send one tensor of shape [rows, 3]"],
    [plain, ['a', 'b'], 'no input is named "c"'],
    [plain, ['a'], 'no input is named "b", "c"'],
    [plain, ['a', 'b', 'c', 'd'], '"d" is none of the features "a", "b", "c"'],
    [plain, ['a', 'b', '__proto__'], '"__proto__" is none of the features'],
    [plain, ['a', 'b', 'c', 'c'], 'two inputs have the same name'],
  ])('is refused when a column is wrong', (columns, names, message) => {
    expect(() =>
      rowsOf(
        names.map((name) => column(name, [1, 2])),
        columns,
      ),
    ).toThrow(message);
  });

  it('is refused when the columns are not equally long', () => {
    const inputs = [column('a', [1, 2]), tensor('b', [3], [1, 2, 3]), column('c', [1, 2])];

    expect(() => rowsOf(inputs, plain)).toThrow('"b" must have the shape [2] or [2, 1]');
    expect(() => rowsOf([column('a', [1, 2]), tensor('b', [1, 2], [1, 2]), column('c', [1, 2])], plain)).toThrow('"b"');
  });

  it('is refused when text comes for numbers, or numbers for text', () => {
    expect(() =>
      rowsOf([column('size', ['1', '2'], 'BYTES'), column('colour', ['red', 'red'], 'BYTES')], mixed),
    ).toThrow('column 1 ("size") takes numbers');
    expect(() => rowsOf([column('size', [1, 2]), column('colour', [1, 2])], mixed)).toThrow('send it as BYTES');
  });
});

it('refuses a request without inputs', () => {
  expect(() => rowsOf([], plain)).toThrow('inputs holds no tensor');
});
