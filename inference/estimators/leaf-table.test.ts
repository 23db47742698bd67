import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { LeafTable } from './leaf-table.ts';

function aTable(rows: number, width: number) {
  const values = new Float64Array(rows * width);
  const table = new LeafTable(values, width);
  const add = (...row: readonly number[]) => {
    values.set(row, table.next);
    return table.keep();
  };
  return { values, table, add };
}

describe('a table of leaves', () => {
  it('has each row once', () => {
    const { values, table, add } = aTable(4, 2);

    expect([add(1, 0), add(0.5, 0.5), add(1, 0), add(0, 1)]).toEqual([0, 2, 0, 4]);
    expect([...values.subarray(0, table.next)]).toEqual([1, 0, 0.5, 0.5, 0, 1]);
  });

  it('tells 0 from -0, and neighbouring doubles from each other', () => {
    const { add } = aTable(4, 1);

    expect([add(0), add(-0), add(0.1), add(0.1 + 2 ** -56)]).toEqual([0, 1, 2, 3]);
  });

  it('finds every one of thousands of rows again', () => {
    const { values, table, add } = aTable(20_000, 3);
    const random = seededRandom(5);
    const rows = Array.from({ length: 5000 }, () => [random(), Math.round(random() * 4) / 4, 1] as const);

    const places = rows.map((row) => add(...row));

    expect(rows.map((row) => add(...row))).toEqual(places);
    expect(table.next).toBe(3 * new Set(rows.map((row) => row.join())).size);
    expect(rows.every((row, at) => row.join() === values.subarray(places[at], (places[at] ?? 0) + 3).join())).toBe(
      true,
    );
  });
});
