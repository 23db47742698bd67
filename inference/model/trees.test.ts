import { describe, expect, it } from 'vitest';
import { evaluate } from './evaluate.ts';
import { type TreeSource, TreesBuilder, bytesOfTree, pairwiseSum } from './trees.ts';

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
  values: Float64Array.of(3, 3, 3, 1, 0, 2),
};

function stumps(count: number, acceptsMissing = true) {
  const builder = new TreesBuilder({ trees: count, nodes: 3 * count, classes: 2, acceptsMissing });
  for (let tree = 0; tree < count; tree += 1) builder.add(stump, false);
  return builder.built;
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
  it('take the memory that was announced', () => {
    const { roots, feature, threshold, left, right, answer, missingLeft, values } = stumps(5);
    const bytes = [roots, feature, threshold, left, right, answer, missingLeft, values].map(
      (array) => array.byteLength,
    );

    expect(bytes.reduce((a, b) => a + b)).toBe(5 * bytesOfTree(3, 2));
  });

  it.each([1, 2, 3, 4, 5, 8, 11])('give the mean of %i trees', (count) => {
    expect(evaluate(stumps(count), 1, Float64Array.of(0, 1), 2)).toEqual(Float64Array.of(0.75, 0.25, 0, 1));
  });

  it('compare the value as float32 with the threshold as float64', () => {
    // 0.1 as float32 is greater than 0.1
    expect(evaluate(stumps(4), 1, Float64Array.of(0.1), 1)).toEqual(Float64Array.of(0, 1));
  });

  it('send missing values where the node says, beside rows without any', () => {
    expect(evaluate(stumps(6), 1, Float64Array.of(NaN, 0), 2)).toEqual(Float64Array.of(0, 1, 0.75, 0.25));
  });
});
