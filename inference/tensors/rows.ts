// From input tensors to the rows that a model takes: one tensor that holds the table, or one for each of its columns, named as the features are. Pure.
import { HttpError } from '../errors.ts';
import { cellOf } from '../features/cell.ts';
import type { Rows } from '../model/batches.ts';
import type { Model } from '../model/model.ts';
import type { Schema } from '../model/checks.ts';
import type { Elements } from './datatype.ts';
import { type InputTensor, shown } from './tensor.ts';

/** What is asked of a model about its input. */
export interface Columns {
  readonly schema: Pick<Schema, 'features' | 'width'>;
  readonly model: Pick<Model, 'texts' | 'unused'>;
}

const MOST_NAMED = 20;

/** The rows of a request. Throws HttpError 400. */
export function rowsOf(inputs: readonly InputTensor[], columns: Columns): Rows {
  const { width } = columns.schema;
  const [first, ...more] = inputs;
  if (first === undefined) throw bad('inputs holds no tensor');
  if (more.length > 0 || (first.columns === 1 && width > 1)) return rowsOfColumns(inputs, columns);
  if (first.columns !== width) throw wrongShape(first, columns);
  const { elements, rows } = first;
  if (elements instanceof Float64Array && columns.model.texts.size === 0) return { values: elements, count: rows };
  const values = new Float64Array(rows * width);
  for (let column = 0; column < width; column += 1)
    fill(values, { elements, start: column, step: width }, column, columns);
  return { values, count: rows };
}

function rowsOfColumns(inputs: readonly InputTensor[], columns: Columns): Rows {
  const { features, width } = columns.schema;
  if (features.length !== width) {
    throw bad(`the model's features have no names: send one tensor of shape [rows, ${width}]`);
  }
  const byName = new Map(inputs.map((input) => [input.name, input]));
  const known = new Set(features);
  const unknown = inputs.find(({ name }) => !known.has(name));
  if (unknown !== undefined) throw bad(`${shown(unknown.name)} is none of the features ${listed(features)}`);
  if (byName.size < inputs.length) throw bad('two inputs have the same name');
  const missing = features.filter((name, column) => !byName.has(name) && columns.model.unused?.has(column) !== true);
  if (missing.length > 0) throw bad(`no input is named ${listed(missing)}`);
  const count = inputs[0]?.rows ?? 0;
  const values = new Float64Array(count * width);
  for (const [column, name] of features.entries()) {
    const input = byName.get(name);
    if (input === undefined) continue;
    if (input.rows !== count || input.columns !== 1)
      throw bad(`${shown(name)} must have the shape [${count}] or [${count}, 1]`);
    fill(values, { elements: input.elements, start: 0, step: 1 }, column, columns);
  }
  return { values, count };
}

/** Elements of one column, wherever they stand. */
interface Source {
  readonly elements: Elements;
  readonly start: number;
  readonly step: number;
}

function fill(
  values: Float64Array,
  { elements, start, step }: Source,
  column: number,
  { model, schema }: Columns,
): void {
  const { width, features } = schema;
  for (let at = start, to = column; to < values.length; at += step, to += width) {
    const cell = cellOf(model, column, elements[at]);
    if (cell === undefined) {
      const wanted = model.texts.has(column) ? 'takes text: send it as BYTES' : 'takes numbers';
      throw bad(`column ${column + 1} (${shown(features[column] ?? '')}) ${wanted}`);
    }
    values[to] = cell;
  }
}

function wrongShape({ name }: InputTensor, { schema: { width, features } }: Columns): HttpError {
  const named = features.length === width ? `, or one tensor of shape [rows] for each of ${listed(features)}` : '';
  return bad(`the shape of ${shown(name)} must be [rows, ${width}]: the model takes ${width} features${named}`);
}

function listed(names: readonly string[]): string {
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return names.slice(0, MOST_NAMED).map(shown).join(', ') + more;
}

function bad(message: string): HttpError {
  return new HttpError(400, message);
}
