// From a table of training data to the reference of its columns, in two readings: the first finds the bins, the second counts.
import { Reference } from '../inference/monitoring/reference.ts';
import { CliError } from './errors.ts';
import { Counted } from './histogram.ts';
import { Summary } from './summary.ts';
import type { Table } from './table.ts';

export interface Wanted {
  readonly features: readonly string[];
  /** Column of what is to be predicted. */
  readonly label?: string | undefined;
  /** Bins of a feature with many values. */
  readonly bins: number;
}

/** Throws CliError for a column that is not there or cannot be counted. */
export async function buildReference(table: Table, { features, label, bins }: Wanted): Promise<Reference> {
  const columns = label === undefined ? features : [...features, label];
  for (const name of columns) {
    if (!table.columns.includes(name)) {
      throw new CliError(`there is no column ${JSON.stringify(name)}; there are ${shown(table.columns)}`);
    }
  }
  const { summaries, rows } = await summarise(table, columns);
  if (rows === 0) throw new CliError('the table has no rows');
  const layouts = summaries.map((summary, at) =>
    at < features.length ? summary.ofFeature(bins) : summary.ofLabel(bins),
  );
  const counted = layouts.map((layout) => new Counted(layout));
  for await (const { column, cells } of table.chunks(columns)) {
    for (const cell of cells) counted[column]?.add(table.read(cell));
  }
  const histograms = counted.map((each) => each.histogram());
  return Reference.parse({
    rows,
    features: Object.fromEntries(features.map((name, at) => [name, histograms[at]])),
    ...(label !== undefined && { prediction: histograms.at(-1) }),
  });
}

async function summarise(table: Table, columns: readonly string[]) {
  const summaries = columns.map((name) => new Summary(name));
  let rows = 0;
  for await (const { column, from, cells } of table.chunks(columns)) {
    for (const [at, cell] of cells.entries()) summaries[column]?.add(table.read(cell), from + at);
    rows = Math.max(rows, from + cells.length);
  }
  return { summaries, rows };
}

function shown(names: readonly string[]): string {
  const more = names.length - 30;
  return names.slice(0, 30).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
