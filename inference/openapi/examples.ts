// A request that the loaded model takes: its first golden row where metadata.json has one, else values of the right kinds.
import type { ServedModel } from '../model/served.ts';

export type Cell = number | string | boolean | null;

const BASKET = {
  basket_items: {
    '4011': { product_id: '4011', quantity: 2, price: 0.55, category: 'produce' },
    '7420': { product_id: '7420', quantity: 1, price: 79.9, category: 'electronics' },
  },
  customer_id: 'c-42',
  store_id: 's-7',
};

/** One row as clients send it. */
export function exampleRow({ manifest, model, schema }: ServedModel): readonly Cell[] {
  const [golden] = manifest.golden?.inputs ?? [];
  if (golden !== undefined) return golden;
  return Array.from({ length: schema.width }, (_, column) => {
    const [text] = model.texts.get(column)?.keys() ?? [];
    return text ?? 0;
  });
}

export function exampleBasket(): object {
  return BASKET;
}

/** An instance of V1: by name where the features have names. */
export function exampleInstance(served: ServedModel): unknown {
  const { features, width } = served.schema;
  const row = exampleRow(served);
  return features.length === width ? Object.fromEntries(features.map((name, column) => [name, row[column]])) : row;
}

/** Inputs of V2: a table of numbers, or a tensor for each column where some take text. */
export function exampleInputs(served: ServedModel): readonly object[] {
  const { model, schema } = served;
  const row = exampleRow(served);
  if (model.texts.size === 0 || schema.features.length !== schema.width) {
    return [{ name: 'input', shape: [1, schema.width], datatype: 'FP64', data: row.map(Number) }];
  }
  return schema.features.flatMap((name, column) => {
    if (model.unused?.has(column) === true) return [];
    const isText = model.texts.has(column);
    return [{ name, shape: [1], datatype: isText ? 'BYTES' : 'FP64', data: [row[column] ?? null] }];
  });
}
