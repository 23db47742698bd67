// One cell of a table of training data, whatever the file. Pure.

/** null: missing. In a file without types every cell is text. */
export type Cell = string | number | boolean | null;

/** What a cell says: a number (a flag is 1 or 0), or the text alone. undefined: missing. */
export type Said = { readonly text: string; readonly number?: number; readonly isFlag?: boolean } | undefined;

/** What pandas takes for a missing value in a CSV file. */
const MISSING = new Set(
  '|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null'.split('|'),
);
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const INFINITE = /^\s*([+-]?)inf(?:inity)?\s*$/i;
const FLAGS: Readonly<Record<string, number>> = { true: 1, false: 0 };

/** A cell of a file that knows the types of its columns: text is text. */
export function typedCell(cell: Cell): Said {
  if (cell === null || Number.isNaN(cell)) return undefined;
  if (typeof cell === 'string') return { text: cell };
  if (typeof cell === 'number') return { text: String(cell), number: cell };
  return { text: cell ? 'True' : 'False', number: Number(cell), isFlag: true };
}

/** A cell of a CSV file: pandas' reading of it. */
export function writtenCell(cell: Cell): Said {
  if (typeof cell !== 'string') return typedCell(cell);
  if (MISSING.has(cell)) return undefined;
  if (NUMBER.test(cell)) return { text: cell, number: Number(cell) };
  const flag = FLAGS[cell.toLowerCase()];
  if (flag !== undefined) return { text: cell, number: flag, isFlag: true };
  const [found, sign] = INFINITE.exec(cell) ?? [];
  return found === undefined ? { text: cell } : { text: cell, number: sign === '-' ? -Infinity : Infinity };
}
