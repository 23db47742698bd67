// From a basket to the row of numbers that a model takes, compiled once a model: the hot path looks up its categories and builds no names.
import { ModelInputError } from '../model/errors.ts';
import type { PredictRequest } from '../validation/predict-body.ts';
import { keysInOrder } from '../validation/python-json.ts';
import { basketFeatures, itemOf, priceOf, quantityOf, share } from './basket.ts';

/** Writes the row of one basket and returns it; the array is reused by the next call. Throws BasketError or ModelInputError. */
export type RowOf = (request: PredictRequest) => Float64Array;

type Source = (sums: Sums, request: PredictRequest) => number;

interface Sums {
  items: number;
  value: number;
  high: number;
  unique: number;
  readonly counts: Float64Array;
}

const PLAIN: Readonly<Record<string, Source>> = {
  total_items: ({ items }) => items,
  total_value: ({ value }) => value,
  avg_item_value: ({ value, items }) => share(value, items),
  unique_items: ({ unique }) => unique,
  has_customer_id: (_, { hasCustomer }) => (hasCustomer ? 1 : 0),
  has_store_id: (_, { hasStore }) => (hasStore ? 1 : 0),
  high_value_item_ratio: ({ high, unique }) => (unique === 0 ? 0 : high / unique),
};

/** Where Python's dict of categories merges or renames keys (null, numbers, True), the general form is asked. */
const ODD = Symbol('odd category');

/**
 * @param names the model's features in order; a name that a basket does not have is 0. Empty: all features of the basket are passed.
 * @param width numbers that the model takes; `modelType` names it in the message when a row has another length.
 */
export function compileRow(names: readonly string[], width: number, modelType: string): RowOf {
  if (names.length === 0) return (request) => rowOfAll(request, width, modelType);
  if (names.length !== width) {
    return (request) => {
      basketFeatures(request);
      throw wrongLength(names.length, width, modelType);
    };
  }
  const categories = new Map<string, number>();
  const sources = names.map((name) => sourceOf(name, categories));
  const row = new Float64Array(width);
  const counts = new Float64Array(categories.size);
  return (request) => {
    const sums = sumsOf(request, categories, counts);
    if (sums === ODD) return rowByName(request, names, row);
    for (let at = 0; at < width; at += 1) row[at] = sources[at]?.(sums, request) ?? 0;
    return row;
  };
}

function sourceOf(name: string, categories: Map<string, number>): Source {
  if (Object.hasOwn(PLAIN, name)) return PLAIN[name] ?? (() => 0);
  const [, category, kind] = /^category_(.*)_(count|ratio)$/su.exec(name) ?? [];
  if (category === undefined) return () => 0;
  const index = categories.get(category) ?? categories.size;
  categories.set(category, index);
  if (kind === 'count') return ({ counts }) => counts[index] ?? 0;
  return ({ counts, items }) => share(counts[index] ?? 0, items);
}

function sumsOf(request: PredictRequest, categories: ReadonlyMap<string, number>, counts: Float64Array) {
  const { items } = request;
  const sums: Sums = { items: 0, value: 0, high: 0, unique: 0, counts: counts.fill(0) };
  for (const key of keysInOrder(items)) {
    const item = itemOf(items[key]);
    const quantity = quantityOf(item);
    const price = priceOf(item);
    const { category = 'unknown' } = item;
    if (typeof category !== 'string') return ODD;
    sums.items += quantity;
    sums.value += price * quantity;
    sums.unique += 1;
    if (price > 50) sums.high += 1;
    const index = categories.get(category);
    if (index !== undefined) counts[index] = (counts[index] ?? 0) + quantity;
  }
  return sums;
}

function rowByName(request: PredictRequest, names: readonly string[], row: Float64Array): Float64Array {
  const features = basketFeatures(request);
  for (const [at, name] of names.entries()) row[at] = features.get(name) ?? 0;
  return row;
}

function rowOfAll(request: PredictRequest, width: number, modelType: string): Float64Array {
  const features = basketFeatures(request);
  if (features.size !== width) throw wrongLength(features.size, width, modelType);
  return Float64Array.from(features.values());
}

/** scikit-learn's words. */
function wrongLength(found: number, width: number, modelType: string): ModelInputError {
  return new ModelInputError(`X has ${found} features, but ${modelType} is expecting ${width} features as input.`);
}
