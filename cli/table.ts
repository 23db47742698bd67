// A table of training data that is too large for memory: its columns by name, and their cells in chunks, as often as wanted.
import { csvTable } from './csv-table.ts';
import type { Cell, Said } from './cell.ts';
import { parquetTable } from './parquet-table.ts';

export interface Chunk {
  /** Place in the list of wanted columns. */
  readonly column: number;
  /** Row of the first cell, from 0. */
  readonly from: number;
  readonly cells: readonly Cell[];
}

export interface Table {
  readonly columns: readonly string[];
  /** What the cells of this kind of file say. */
  readonly read: (cell: Cell) => Said;
  /** The cells of some columns; those of one column in the order of the rows. Throws CliError. */
  chunks(wanted: readonly string[]): AsyncIterable<Chunk>;
}

/** Opens a file by its ending: .parquet or .pq, else CSV, gzipped when it ends with .gz. Throws CliError. */
export function openTable(path: string, delimiter: string): Promise<Table> {
  return /\.(parquet|pq)$/i.test(path) ? parquetTable(path) : csvTable(path, delimiter);
}
