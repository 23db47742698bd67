import { describe, expect, it } from 'vitest';
import { addTrees } from './evaluate.ts';
import { type TreeSource, type Trees, TreesBuilder, bytesOfTree, pairwiseSum } from './trees.ts';

/** 1, 1/2, 1/3, …: sums of these depend on the order of addition. */
const inverses = (count: number): Float64Array => Float64Array.from({ length: count }, (_, at) => 1 / (at + 1));

/** x0 <= 0.5 ? [3, 1] : [0, 2], missing values to the right. */
const stump: TreeSource = {
  count: 3,
  left: Int32Array.of(1, -1, -1),
  right: Int32Array.of(2, -1, -1),
  feature: Int32Array.of(0, -2, -2),
  threshold: Float64Array.of(0.1, -2, -2),
  missingLeft: Uint8Array.of(0, 0, 0),
  weight: Float64Array.of(3, 2, 1),
};

const answers = [0, 0, 0.75, 0.25, 0, 1];

function stumps(count: number, source: TreeSource = stump, isFloat32 = false) {
  const builder = new TreesBuilder({ trees: count, nodes: 3 * count, leafWidth: 2, outputs: 2, isFloat32 });
  for (let tree = 0; tree < count; tree += 1) {
    builder.add(source, (node, values, at) => values.set(answers.slice(2 * node, 2 * node + 2), at));
  }
  return builder.built;
}

/** The sum of the trees' answers for rows of one number, as scikit-learn rounds them unless `rounded` is false. */
function sumsOf(trees: Trees, numbers: readonly number[], rounded = true): Float64Array {
  const values = rounded ? Float32Array.from(numbers) : Float64Array.from(numbers);
  const sums = new Float64Array(numbers.length * trees.outputs);
  addTrees(trees, { values, rows: numbers.length, columns: 1, hasMissing: values.some(Number.isNaN) }, sums);
  return sums;
}

describe('numpy pairwise sum', () => {
  // numpy.sum(1 / numpy.arange(1, n + 1)) of numpy 1.25 and 2.4
  it.each([
    [1, 1],
    [7, 2.5928571428571425],
    [8, 2.7178571428571425],
    [9, 2.8289682539682537],
    [17, 3.439552522640758],
    [128, 5.433147092589173],
    [129, 5.440899030573669],
    [300, 6.282663880299504],
    [1001, 7.486469861549347],
  ])('of %i numbers is the same double', (count, expected) => {
    expect(pairwiseSum(inverses(count), 0, count)).toBe(expected);
  });

  it('starts where it is told to', () => {
    expect(pairwiseSum(Float64Array.of(9, 1, 2, 9), 1, 2)).toBe(3);
  });
});

describe('flat trees', () => {
  it.each([true, false])('take the memory that was announced, less what leaves share (float32: %s)', (isFloat32) => {
    const { compact, ...trees } = stumps(5, stump, isFloat32);
    const bytes = Object.values(trees).map((array) => (ArrayBuffer.isView(array) ? array.byteLength : 0));
    const shared = 4 * 2 * 2 * 8; // all but the two leaves of the first tree, of two numbers each

    expect(bytes.reduce((a, b) => a + b) + 11 * 3 * 5).toBe(5 * bytesOfTree(3, 2) - shared);
    if (isFloat32) expect(compact?.words.byteLength).toBeLessThanOrEqual(11 * 3 * 5);
    else expect(compact).toBeUndefined();
  });

  it.each([1, 2, 3, 4, 5, 8, 11])('add up %i trees', (count) => {
    expect(sumsOf(stumps(count), [0, 1])).toEqual(Float64Array.of(0.75, 0.25, 0, 1).map((one) => one * count));
  });

  it('compare the value as float32 with the threshold as float64', () => {
    // 0.1 as float32 is greater than 0.1
    expect(sumsOf(stumps(1), [0.1])).toEqual(Float64Array.of(0, 1));
    expect(sumsOf(stumps(1), [0.1], false)).toEqual(Float64Array.of(0.75, 0.25));
  });

  it('send missing values where the node says, beside rows without any', () => {
    expect(sumsOf(stumps(6), [NaN, 0])).toEqual(Float64Array.of(0, 6, 4.5, 1.5));
  });

  it('add each tree to its own column', () => {
    const builder = new TreesBuilder({ trees: 2, nodes: 6, leafWidth: 1, outputs: 2 });
    for (const column of [1, 0]) builder.add(stump, (node, values, at) => (values[at] = 10 * node + column), column);

    expect(sumsOf(builder.built, [0])).toEqual(Float64Array.of(10, 11));
  });

  it('round each sum to float32 where the sums are float32', () => {
    const builder = new TreesBuilder({ trees: 2, nodes: 2, leafWidth: 1, outputs: 1 });
    const leaf = { ...stump, count: 1, left: Int32Array.of(-1), right: Int32Array.of(-1) };
    for (const value of [2 ** 24, 1]) builder.add(leaf, (_, values, at) => (values[at] = value));
    const sums = new Float32Array(1);

    addTrees(builder.built, { values: Float32Array.of(0), rows: 1, columns: 1, hasMissing: false }, sums);

    expect(sums[0]).toBe(2 ** 24);
  });

  it.each([
    [1, 1],
    [33, 1],
    [0, 2],
    [2, 2],
    [64, 2],
    [-1, 2],
    [1e10, 2],
    [1.9, 1],
    [NaN, 2],
  ])('send category %s to child %i of a split by set', (value, child) => {
    const bySet = { ...stump, categoriesOf: (node: number) => (node === 0 ? Uint32Array.of(0b10, 0b10) : undefined) };

    const [first] = sumsOf(stumps(1, bySet), [value], false);

    expect(first).toBe(answers[2 * child]);
  });
});
