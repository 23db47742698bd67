// One cell of a row that a client sends as it is in the training table: a number, a text where the column takes text, or nothing.
import type { Model } from '../model/model.ts';

const UNKNOWN = -1;

/** The number that a model takes for a cell; undefined for what can be none. null and a missing text are NaN, as in a table read by pandas. */
export function cellOf({ texts }: Pick<Model, 'texts'>, column: number, value: unknown): number | undefined {
  if (value === null) return NaN;
  const codes = texts.get(column);
  if (codes !== undefined) return typeof value === 'string' ? (codes.get(value) ?? UNKNOWN) : undefined;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : undefined;
}
