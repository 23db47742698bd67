import { describe, expect, it } from 'vitest';
import type { ModelError } from '../model/errors.ts';
import {
  type StoredTree,
  type TreeColumns,
  TreeRoom,
  checkStructure,
  checkValues,
  holdsFractions,
} from './sklearn-tree.ts';

const forest = { features: 2, width: 2 };
const NONE = -1;

/** Five nodes: 0 splits into 1 and 2, 2 splits into 3 and 4. Counts of 10 rows. */
function aTree(overrides: Partial<TreeColumns> = {}): TreeColumns {
  return {
    count: 5,
    left: Int32Array.of(1, NONE, 3, NONE, NONE),
    right: Int32Array.of(2, NONE, 4, NONE, NONE),
    feature: Int32Array.of(0, -2, 1, -2, -2),
    threshold: Float64Array.of(0.5, -2, 1.5, -2, -2),
    samples: Int32Array.of(10, 4, 6, 1, 5),
    weight: Float64Array.of(10, 4, 6, 1, 5),
    missingLeft: Uint8Array.of(1, 0, 0, 0, 0),
    values: Float64Array.of(5, 5, 4, 0, 1, 5, 1, 0, 0, 5),
    ...overrides,
  };
}

/** The same tree as scikit-learn 1.4 and newer write it. */
function inFractions(overrides: Partial<TreeColumns> = {}): TreeColumns {
  return aTree({ values: Float64Array.of(0.5, 0.5, 1, 0, 1 / 6, 5 / 6, 1, 0, 0, 1), ...overrides });
}

const damaged = expect.objectContaining({ reason: 'LoadFailed' }) as ModelError;

describe('the structure of a tree', () => {
  it('is accepted when whole, and when it is a single leaf', () => {
    const leaf = { left: Int32Array.of(NONE), right: Int32Array.of(NONE), values: Float64Array.of(1, 0) };

    checkStructure(aTree(), forest);
    checkStructure(aTree({ threshold: Float64Array.of(Infinity, -2, 1.5, -2, -2) }), forest);
    checkStructure(aTree({ count: 1, ...leaf }), forest);
  });

  it.each<[string, Partial<TreeColumns>]>([
    ['a child before its parent', { left: Int32Array.of(1, NONE, 0, NONE, NONE) }],
    ['a node that is its own child', { right: Int32Array.of(2, NONE, 2, NONE, NONE) }],
    ['a child beyond the end', { right: Int32Array.of(2, NONE, 5, NONE, NONE) }],
    ['a negative child', { right: Int32Array.of(-2, NONE, 4, NONE, NONE) }],
    ['the same child twice', { right: Int32Array.of(2, NONE, 3, NONE, NONE) }],
    [
      'a child of two parents',
      { left: Int32Array.of(1, NONE, 3, NONE, NONE), right: Int32Array.of(3, NONE, 4, NONE, NONE) },
    ],
    [
      'a node that nobody leads to',
      { left: Int32Array.of(1, NONE, NONE, NONE, NONE), right: Int32Array.of(2, NONE, NONE, NONE, NONE) },
    ],
    ['a left child alone', { right: Int32Array.of(2, NONE, NONE, NONE, NONE) }],
    ['a right child alone', { left: Int32Array.of(1, NONE, NONE, NONE, NONE) }],
    ['a feature beyond the row', { feature: Int32Array.of(2, -2, 1, -2, -2) }],
    ['a negative feature', { feature: Int32Array.of(0, -2, -2, -2, -2) }],
    ['a threshold of NaN', { threshold: Float64Array.of(NaN, -2, 1.5, -2, -2) }],
    ['a threshold of minus infinity', { threshold: Float64Array.of(-Infinity, -2, 1.5, -2, -2) }],
    ['a direction that is neither left nor right', { missingLeft: Uint8Array.of(2, 0, 0, 0, 0) }],
    ['children with other rows than their parent', { samples: Int32Array.of(10, 4, 5, 1, 5) }],
  ])('with %s is refused', (_, overrides) => {
    expect(() => checkStructure(aTree(overrides), forest)).toThrow(damaged);
  });

  it('with a circle that no walk can reach is refused', () => {
    const circle = { left: Int32Array.of(NONE, 2, 1, NONE, NONE), right: Int32Array.of(NONE, 3, 4, NONE, NONE) };

    expect(() =>
      checkStructure(aTree({ ...circle, samples: new Int32Array(5), feature: new Int32Array(5) }), forest),
    ).toThrow(damaged);
  });

  it('with a node of two parents is refused, also when no node is left over', () => {
    const shared = { left: Int32Array.of(1, 2, NONE, NONE), right: Int32Array.of(2, 3, NONE, NONE) };
    const rest = { count: 4, samples: Int32Array.of(5, 3, 2, 1), feature: new Int32Array(4) };

    expect(() => checkStructure(aTree({ ...shared, ...rest }), forest)).toThrow(damaged);
  });

  it('with one node that 257 others lead to is refused', () => {
    const splits = 512;
    const count = 2 * splits + 1;
    const columns = { left: new Int32Array(count).fill(NONE), right: new Int32Array(count).fill(NONE) };
    for (let node = 0; node < splits; node += 1) {
      columns.left[node] = node + 1;
      columns.right[node] = count - 1;
    }
    const zeros = {
      feature: new Int32Array(count),
      threshold: new Float64Array(count),
      samples: new Int32Array(count),
    };

    expect(() =>
      checkStructure(aTree({ count, ...columns, ...zeros, missingLeft: new Uint8Array(count) }), forest),
    ).toThrow(damaged);
  });
});

describe('the values of a tree', () => {
  it('are told apart: counts and fractions', () => {
    expect(holdsFractions(aTree().values, 2)).toBe(false);
    expect(holdsFractions(inFractions().values, 2)).toBe(true);
  });

  it('are counts when only the root adds up to 1', () => {
    expect(holdsFractions(aTree({ values: aTree().values.map((value) => value / 10) }).values, 2)).toBe(false);
  });

  it('are accepted in both forms', () => {
    checkValues(aTree(), 2, { aggregate: 'count' });
    checkValues(inFractions(), 2, { aggregate: 'mean' });
  });

  it.each([NaN, Infinity])('of %s are refused', (value) => {
    const values = aTree().values.with(6, value);

    expect(() => checkValues(aTree({ values }), 2, { aggregate: 'other' })).toThrow(damaged);
  });

  it('below zero are refused for classes', () => {
    const tree = aTree({ values: aTree().values.with(6, -1) });

    expect(() => checkValues(tree, 2, { aggregate: 'other', least: 0 })).toThrow(/negative value/);
    checkValues(tree, 2, { aggregate: 'other' });
  });

  it.each([NaN, Infinity, -1])('with a weight of %s are refused', (weight) => {
    expect(() =>
      checkValues(inFractions({ weight: aTree().weight.with(3, weight) }), 2, { aggregate: 'other' }),
    ).toThrow(damaged);
  });

  it('of children that do not add up to their parent are refused', () => {
    const counts = aTree({ values: aTree().values.with(9, 6) });
    const fractions = inFractions({ values: inFractions().values.with(2, 0.5).with(3, 0.5) });

    expect(() => checkValues(counts, 2, { aggregate: 'count' })).toThrow(damaged);
    expect(() => checkValues(fractions, 2, { aggregate: 'mean' })).toThrow(damaged);
  });

  it('need not add up where monotonic constraints have clipped them', () => {
    checkValues(inFractions({ values: inFractions().values.with(2, 0.5).with(3, 0.5) }), 2, { aggregate: 'other' });
  });
});

const COLUMNS = {
  left_child: 'left',
  right_child: 'right',
  feature: 'feature',
  n_node_samples: 'samples',
  threshold: 'threshold',
  weighted_n_node_samples: 'weight',
  missing_go_to_left: 'missingLeft',
} as const;
const ITEM_BYTES = 8 * Object.keys(COLUMNS).length;

/** As a file would hold it: records of int64, float64 and a byte. */
function stored(tree: TreeColumns): StoredTree {
  const present = Object.entries(COLUMNS).filter(([, key]) => tree[key] !== undefined);
  const view = new DataView(new ArrayBuffer(tree.count * ITEM_BYTES));
  const fields = new Map(
    present.map(([name, key], at) => {
      const column = tree[key];
      const kind = column instanceof Float64Array ? 'f' : column instanceof Uint8Array ? 'u' : 'i';
      column?.forEach((value, node) => {
        const place = node * ITEM_BYTES + 8 * at;
        if (kind === 'f') view.setFloat64(place, value, true);
        else view.setBigInt64(place, BigInt(value), true);
      });
      return [name, { dtype: { kind, itemSize: kind === 'u' ? 1 : 8 }, offset: 8 * at }] as const;
    }),
  );
  const nodes = { view, count: tree.count, dtype: { kind: 'V', itemSize: ITEM_BYTES, fields } };
  return { shape: forest, count: tree.count, nodes, values: new Uint8Array(tree.values.slice().buffer) };
}

/** A single leaf, of a version that knows no missing values. */
const LEAF: TreeColumns = {
  count: 1,
  left: Int32Array.of(NONE),
  right: Int32Array.of(NONE),
  feature: Int32Array.of(-2),
  threshold: Float64Array.of(-2),
  samples: Int32Array.of(7),
  weight: Float64Array.of(7),
  values: Float64Array.of(3, 4),
};

describe('the memory that trees are read into', () => {
  it('shows of each tree what is its own, whatever was there before', () => {
    const [large, small] = [aTree(), LEAF];
    const room = new TreeRoom([large, small].map(stored));

    expect(room.read(stored(large))).toEqual(large);
    expect(room.read(stored(small))).toEqual(small);
    expect(room.readValues(stored(large))).toEqual(large.values);
    expect(room.read(stored(small))).toEqual(small);
    expect(room.read(stored(large))).toEqual(large);
  });

  it('refuses a tree whose walks do not end', () => {
    const endless = stored(aTree({ right: Int32Array.of(2, NONE, 2, NONE, NONE) }));

    expect(() => new TreeRoom([endless]).read(endless)).toThrow(damaged);
  });
});
