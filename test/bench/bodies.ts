// The requests of the inference suite: 500 baskets that differ, and the same rows as tensors for servers that take features.
import { compileRow } from '../../inference/features/row.ts';
import { seededRandom } from '../support/a-pickle.ts';
import { archived } from '../support/model-fixtures.ts';

const COUNT = 500;
const CATEGORIES = ['produce', 'dairy', 'household', 'electronics', 'bakery', 'frozen'];

export interface Bodies {
  readonly baskets: readonly string[];
  /** The V2 protocol, probabilities wanted. */
  readonly tensors: readonly string[];
  /** BentoML's way of naming an argument. */
  readonly rows: readonly string[];
}

/** The fixture that every server has: 100 trees of depth 10. */
export const FOREST = 'basket-medium';

/** Names of the forest's features, in order. */
export function featuresOf(): readonly string[] {
  const { features } = JSON.parse(Buffer.from(archived(FOREST, 'metadata.json')).toString()) as { features: string[] };
  return features;
}

export function requestBodies(): Bodies {
  const features = featuresOf();
  const random = seededRandom(7);
  const baskets = Array.from({ length: COUNT }, () => JSON.stringify(aBasket(random)));
  const rowOf = compileRow(features, features.length, 'RandomForestClassifier');
  const rows = baskets.map((body) => [...rowOf(Buffer.from(body), 'application/json')]);
  return {
    baskets,
    tensors: rows.map((data) =>
      JSON.stringify({
        inputs: [{ name: 'input', shape: [1, features.length], datatype: 'FP64', data }],
        outputs: [{ name: 'predict_proba' }],
      }),
    ),
    rows: rows.map((row) => JSON.stringify({ rows: [row] })),
  };
}

function aBasket(random: () => number) {
  const items = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, at) => [
    `item-${at}`,
    {
      product_id: `sku-${Math.floor(random() * 10_000)}`,
      quantity: 1 + Math.floor(random() * 5),
      price: Math.round(random() * 9_000) / 100,
      category: CATEGORIES[Math.floor(random() * CATEGORIES.length)],
    },
  ]);
  const customer = random() < 0.7 ? { customer_id: `c-${Math.floor(random() * 1e6)}` } : {};
  return { basket_items: Object.fromEntries(items) as Record<string, unknown>, ...customer, store_id: 'store-1' };
}
