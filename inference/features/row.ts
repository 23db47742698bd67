// From a basket to the row of numbers that a model takes, compiled once a model: the hot path looks up its categories and builds no names.
import { ModelInputError } from '../model/errors.ts';
import { parsePredictRequest } from '../validation/predict-body.ts';
import type { PredictRequest } from '../validation/predict-body.ts';
import { keysInOrder } from '../validation/python-json.ts';
import { BasketScan, noSums } from './basket-scan.ts';
import type { Sums } from './basket-scan.ts';
import { HIGH_VALUE, basketFeatures, itemOf, priceOf, quantityOf, share } from './basket.ts';

/**
 * Writes the row of the basket in the body of a request, and returns it; the array is reused by the next call. Throws BasketError, ModelInputError, and what
 * `parsePredictRequest` throws.
 */
export type RowOf = (body: Uint8Array | undefined, contentType: string | undefined) => Float64Array;

type Source = (sums: Sums) => number;

const PLAIN: Readonly<Record<string, Source>> = {
  total_items: ({ items }) => items,
  total_value: ({ value }) => value,
  avg_item_value: ({ value, items }) => share(value, items),
  unique_items: ({ unique }) => unique,
  has_customer_id: ({ hasCustomer }) => (hasCustomer ? 1 : 0),
  has_store_id: ({ hasStore }) => (hasStore ? 1 : 0),
  high_value_item_ratio: ({ high, unique }) => (unique === 0 ? 0 : high / unique),
};

/** Where Python's dict of categories merges or renames keys (null, numbers, True), the general form is asked. */
const ODD = Symbol('odd category');

/**
 * @param names the model's features in order; a name that a basket does not have is 0. Empty: all features of the basket are passed.
 * @param width numbers that the model takes; `modelType` names it in the message when a row has another length.
 */
export function compileRow(names: readonly string[], width: number, modelType: string): RowOf {
  if (names.length === 0) return (...body) => rowOfAll(parsePredictRequest(...body), width, modelType);
  if (names.length !== width) {
    return (...body) => {
      basketFeatures(parsePredictRequest(...body));
      throw wrongLength(names.length, width, modelType);
    };
  }
  const categories = new Map<string, number>();
  const sources = names.map((name) => sourceOf(name, categories));
  const scan = new BasketScan([...categories.keys()]);
  const row = new Float64Array(width);
  const rowFrom = (sums: Sums) => {
    for (let at = 0; at < width; at += 1) row[at] = sources[at]?.(sums) ?? 0;
    return row;
  };
  return (body, contentType) => {
    if (contentType === 'application/json' && body !== undefined && scan.read(body)) {
      return rowFrom(scan.sums);
    }
    const request = parsePredictRequest(body, contentType);
    const sums = sumsOf(request, categories);
    return sums === ODD ? rowByName(request, names, row) : rowFrom(sums);
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

function sumsOf({ items, hasCustomer, hasStore }: PredictRequest, categories: ReadonlyMap<string, number>) {
  const sums: Sums = { ...noSums(categories.size), hasCustomer, hasStore };
  const { counts } = sums;
  for (const key of keysInOrder(items)) {
    const item = itemOf(items[key]);
    const quantity = quantityOf(item);
    const price = priceOf(item);
    const { category = 'unknown' } = item;
    if (typeof category !== 'string') return ODD;
    sums.items += quantity;
    sums.value += price * quantity;
    sums.unique += 1;
    if (price > HIGH_VALUE) sums.high += 1;
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
