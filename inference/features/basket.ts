// The features of a retail basket, computed as the Python service computes them: the same defaults, the same order of additions (floating point!), the
// same names in the same order, and a TypeError wherever Python raises one.
import { keysInOrder } from '../validation/python-json.ts';
import type { JsonObject, JsonValue } from '../validation/python-json.ts';
import type { PredictRequest } from '../validation/predict-body.ts';

/** Python would have raised something other than ValueError: its service answers 500 "Prediction failed". */
export class BasketError extends Error {
  override readonly name = 'BasketError';
}

/** The features of the Python service when an artifact has no metadata.json. */
export const DEFAULT_FEATURES = ['total_items', 'total_value', 'avg_item_value', 'category_ratio'] as const;

export const HIGH_VALUE = 50;
const NAMES =
  /^(?:total_items|total_value|avg_item_value|unique_items|has_customer_id|has_store_id|high_value_item_ratio|category_.*)$/su;

/** Whether a model that takes this feature can be asked about baskets. */
export function isBasketFeature(name: string): boolean {
  return NAMES.test(name);
}

/**
 * Every feature of a basket by name, in Python's order (categories in order of first appearance). Throws BasketError.
 * The general form; `compileRow` does the same for a fixed list of names without building names.
 */
export function basketFeatures({ items, hasCustomer, hasStore }: PredictRequest): Map<string, number> {
  const categories = new Map<JsonValue, { readonly name: string; count: number }>();
  let total = 0;
  let value = 0;
  let high = 0;
  const keys = keysInOrder(items);
  for (const key of keys) {
    const item = itemOf(items[key]);
    const quantity = quantityOf(item);
    const price = priceOf(item);
    const entry = categoryIn(categories, item);
    total += quantity;
    value += price * quantity;
    if (price > HIGH_VALUE) high += 1;
    entry.count += quantity;
  }
  const features = new Map<string, number>([
    ['total_items', total],
    ['total_value', value],
    ['avg_item_value', share(value, total)],
    ['unique_items', keys.length],
    ['has_customer_id', hasCustomer ? 1 : 0],
    ['has_store_id', hasStore ? 1 : 0],
  ]);
  for (const { name, count } of categories.values()) {
    features.set(`category_${name}_count`, count);
    features.set(`category_${name}_ratio`, share(count, total));
  }
  features.set('high_value_item_ratio', keys.length === 0 ? 0 : high / keys.length);
  return features;
}

/** Python's `a / total if total > 0 else 0`: NaN is not greater than 0. */
export function share(part: number, total: number): number {
  return total > 0 ? part / total : 0;
}

export function itemOf(value: JsonValue | undefined): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new BasketError('a basket item is not an object');
}

/** A missing quantity is 1. */
export function quantityOf(item: JsonObject): number {
  const { quantity } = item;
  return quantity === undefined ? 1 : numberOf(quantity, 'quantity');
}

/** A missing price is 0. */
export function priceOf(item: JsonObject): number {
  const { price } = item;
  return price === undefined ? 0 : numberOf(price, 'price');
}

/** Python's True and False are the integers 1 and 0; text, null, lists and objects cannot be added. */
function numberOf(value: JsonValue, field: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  throw new BasketError(`${field} is not a number`);
}

/** The entry of Python's dict of categories: True and 1 are one key, which keeps the name of the first. */
function categoryIn(categories: Map<JsonValue, { readonly name: string; count: number }>, item: JsonObject) {
  const { category = 'unknown' } = item;
  if (typeof category === 'object' && category !== null) throw new BasketError('a category cannot be hashed');
  const key = typeof category === 'boolean' ? Number(category) : category;
  const known = categories.get(key);
  if (known !== undefined) return known;
  const entry = { name: pythonText(category), count: 0 };
  categories.set(key, entry);
  return entry;
}

/** `str(value)` of Python for what can be a category. */
function pythonText(value: string | number | boolean | null): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'number') return value;
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}
