import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { shareRows } from './leaf-table.ts';

/** Leaves alone, one for each row. */
function aTable(rows: readonly (readonly number[])[]) {
  const leafWidth = rows[0]?.length ?? 1;
  const left = Int32Array.from(rows, (_, node) => node);
  return { left, answer: left.map((node) => node * leafWidth), values: Float64Array.from(rows.flat()), leafWidth };
}

describe('a table of leaves', () => {
  it('has each row once', () => {
    const table = aTable([
      [1, 0],
      [0.5, 0.5],
      [1, 0],
      [0, 1],
    ]);

    const used = shareRows(table);

    expect([...table.answer]).toEqual([0, 2, 0, 4]);
    expect([...table.values.subarray(0, used)]).toEqual([1, 0, 0.5, 0.5, 0, 1]);
  });

  it('leaves splits alone', () => {
    const table = { ...aTable([[1], [2], [0]]), left: Int32Array.of(1, 1, 2), answer: Int32Array.of(0, 0, 1) };

    expect(shareRows(table)).toBe(2);
    expect([...table.answer]).toEqual([0, 0, 1]);
  });

  it('tells 0 from -0, and neighbouring doubles from each other', () => {
    const table = aTable([[0], [-0], [0.1], [0.1 + 2 ** -56]]);

    shareRows(table);

    expect([...table.answer]).toEqual([0, 1, 2, 3]);
  });

  it('finds every one of thousands of rows again', () => {
    const random = seededRandom(5);
    const rows = Array.from({ length: 5000 }, () => [random(), Math.round(random() * 4) / 4, 1] as const);
    const table = aTable([...rows, ...rows]);

    const used = shareRows(table);

    expect([...table.answer.subarray(0, rows.length)]).toEqual([...table.answer.subarray(rows.length)]);
    expect(used).toBe(3 * new Set(rows.map((row) => row.join())).size);
    const found = rows.map((_, at) => table.values.subarray(table.answer[at], (table.answer[at] ?? 0) + 3).join());
    expect(found).toEqual(rows.map((row) => row.join()));
  });
});
