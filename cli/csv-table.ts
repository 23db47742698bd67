// A CSV file with a header line, read as a stream.
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { writtenCell } from './cell.ts';
import type { Cell } from './cell.ts';
import { CliError } from './errors.ts';
import type { Chunk, Table } from './table.ts';

const ROWS_AT_ONCE = 2000;
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Throws CliError. */
export async function csvTable(path: string, delimiter: string): Promise<Table> {
  for await (const header of records(path, delimiter)) {
    const twice = header.find((name, at) => header.indexOf(name) !== at);
    if (twice !== undefined) throw new CliError(`${path}: the header has ${JSON.stringify(twice)} twice`);
    return { columns: header, read: writtenCell, chunks: (wanted) => chunks(path, delimiter, wanted) };
  }
  throw new CliError(`${path} is empty: the first line must name the columns`);
}

async function* chunks(path: string, delimiter: string, wanted: readonly string[]): AsyncGenerator<Chunk> {
  let places: readonly number[] | undefined;
  let columns: Cell[][] = wanted.map(() => []);
  let from = 0;
  for await (const record of records(path, delimiter)) {
    if (places === undefined) {
      places = wanted.map((name) => record.indexOf(name));
      continue;
    }
    for (const [column, place] of places.entries()) columns[column]?.push(record[place] ?? null);
    const rows = columns[0]?.length ?? 0;
    if (rows < ROWS_AT_ONCE) continue;
    yield* columns.map((cells, column) => ({ column, from, cells }));
    from += rows;
    columns = wanted.map(() => []);
  }
  yield* columns.map((cells, column) => ({ column, from, cells }));
}

/** The lines of the file as lists of cells, the header first. */
async function* records(path: string, delimiter: string): AsyncGenerator<readonly string[]> {
  const parser = parse({ bom: true, delimiter, skip_empty_lines: true, max_record_size: MAX_RECORD_BYTES });
  const file = createReadStream(path);
  // The parser ends with the error of the file.
  const onEnd = () => undefined;
  const lines = path.endsWith('.gz') ? pipeline(file, createGunzip(), parser, onEnd) : pipeline(file, parser, onEnd);
  try {
    for await (const record of lines) yield record as readonly string[];
  } catch (error) {
    throw explained(path, error);
  }
}

function explained(path: string, error: unknown): unknown {
  if (error instanceof CsvError) return new CliError(`${path} is not CSV: ${error.message}`, { cause: error });
  if (error instanceof Error && 'code' in error) {
    return new CliError(`${path} cannot be read: ${error.message}`, { cause: error });
  }
  return error;
}
