// One cell of a row that a client sends as it is in the training table: a number, a text where the column takes text, or nothing.
import type { Model } from '../model/model.ts';

const UNKNOWN = -1;

/** What decides how a cell is read. */
type Columns = Pick<Model, 'texts' | 'unused'>;

/** The number that a model takes for a cell; undefined for what can be none. null and a missing text are NaN, as in a table read by pandas; a
 * column that the model does not read takes anything. */
export function cellOf({ texts, unused }: Columns, column: number, value: unknown): number | undefined {
  if (unused?.has(column) === true) return 0;
  if (value === null) return NaN;
  const codes = texts.get(column);
  if (codes !== undefined) return typeof value === 'string' ? (codes.get(value) ?? UNKNOWN) : undefined;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : undefined;
}
