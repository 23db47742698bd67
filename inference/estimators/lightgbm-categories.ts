// Categories of the table that LightGBM was trained on: which value each number stands for. A booster that was trained on numbers alone has none.
import { type Json, damagedDocument } from '../formats/document.ts';
import { ModelError } from '../model/errors.ts';
import type { Encodings } from './encodings.ts';

/** `infos`: what the file says of each column; those of categories have no brackets. Throws ModelError. */
export function readPandasCategories(value: Json, infos: readonly string[]): Encodings {
  const lists = listsOf(value);
  const texts = new Map<number, readonly string[]>();
  if (lists.length === 0) return { encodings: [], texts };
  const columns = [...infos.keys()].filter((column) => isCategorical(infos[column] ?? ''));
  if (columns.length !== lists.length) {
    throw new ModelError(
      'UnsupportedModel',
      'LightGBM with columns of categories that were constant or ordered in training: the file does not tell which they are; leave them out, or train with numbers',
    );
  }
  const encodings = columns.map((column, at) => {
    const { values, known } = valuesOf(lists[at]);
    if (known.length > 0) texts.set(column, known);
    return { column, ...(values && { values }) };
  });
  return { encodings, texts };
}

function isCategorical(info: string): boolean {
  return info !== 'none' && !info.startsWith('[');
}

function listsOf(value: Json): readonly Json[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value as readonly Json[];
  if (value instanceof Float64Array && value.length === 0) return [];
  throw damagedDocument('pandas_categorical is no list');
}

function valuesOf(list: Json | undefined): { values?: Float64Array<ArrayBuffer>; known: readonly string[] } {
  if (list instanceof Float64Array) return { values: list, known: [] };
  const items = Array.isArray(list) ? (list as readonly Json[]) : [];
  const known = items.filter((item) => typeof item === 'string');
  if (known.length > 0 && known.length === items.length && new Set(known).size === known.length) return { known };
  if (items.length > 0 && items.every((item) => typeof item === 'boolean')) {
    return { values: Float64Array.from(items, Number), known: [] };
  }
  throw new ModelError('UnsupportedModel', 'LightGBM with categories that are neither texts nor numbers');
}
