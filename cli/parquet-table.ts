// A Parquet file, read column by column, one group of rows at a time.
import { asyncBufferFromFile, parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { typedCell } from './cell.ts';
import type { Cell } from './cell.ts';
import { CliError } from './errors.ts';
import type { Chunk, Table } from './table.ts';

/** Throws CliError. */
export async function parquetTable(path: string): Promise<Table> {
  return explained(path, async () => {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    return { columns, read: typedCell, chunks: (wanted) => chunks({ path, file, metadata }, wanted) };
  });
}

interface Opened {
  readonly path: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

async function* chunks({ path, file, metadata }: Opened, wanted: readonly string[]): AsyncGenerator<Chunk> {
  for (const [column, name] of wanted.entries()) {
    // A scan keeps what it has read last of each column: so there is one for each.
    const scan = await explained(path, () => parquetScan({ file, metadata, columns: [name], compressors }));
    for (const { rowStart, rowEnd } of scan.ranges) {
      const values = await explained(path, () => scan.readColumn({ column: name, rowStart, rowEnd }));
      const cells = Array.from(values as ArrayLike<unknown>, (value) => {
        const cell = cellOf(value);
        if (cell !== undefined) return cell;
        throw new CliError(`${path}: column ${JSON.stringify(name)} holds neither numbers nor text: leave it out`);
      });
      yield { column, from: rowStart, cells };
    }
  }
}

/** undefined: a list, a map, a date, or anything else that is not one cell. */
function cellOf(value: unknown): Cell | undefined {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  const isCell = typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';
  return isCell ? value : undefined;
}

/** hyparquet throws plain errors for whatever is wrong with a file. */
async function explained<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`${path} cannot be read as Parquet: ${why}`, { cause: error });
  }
}
