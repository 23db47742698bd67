// From raw scores to probabilities, in the order of operations of scipy and scikit-learn. exp and log are V8's: they differ from those of a C library in the last
// bit now and then, as C libraries differ from each other.

import { pairwiseSum } from './trees.ts';
/** scipy.special.expit. */
export function expit(score: number): number {
  return 1 / (1 + Math.exp(-score));
}

/** scipy.special.logit. */
export function logit(share: number): number {
  return Math.log(share / (1 - share));
}

/** sklearn._loss.link.MultinomialLogit of every row of `width` shares: relative to their geometric mean. */
export function symmetricLogit(shares: Float64Array, width: number): Float64Array {
  const logs = shares.map(Math.log);
  return shares.map((share, at) => {
    const mean = pairwiseSum(logs, at - (at % width), width) / width;
    return Math.log(share / Math.exp(mean));
  });
}

/** [1 - p, p] of every score. */
export function bothProbabilities(scores: Float64Array, probability: (score: number) => number): Float64Array {
  const both = new Float64Array(2 * scores.length);
  for (let row = 0; row < scores.length; row += 1) {
    const positive = probability(scores[row] ?? 0);
    both[2 * row] = 1 - positive;
    both[2 * row + 1] = positive;
  }
  return both;
}

/** sklearn.utils.extmath.softmax of every row of `width` numbers: the largest is taken off first. */
export function softmaxOfRows(scores: Float64Array, width: number): Float64Array {
  const shares = new Float64Array(scores.length);
  for (let start = 0; start < scores.length; start += width) {
    const row = shares.subarray(start, start + width);
    const largest = maxOf(scores, start, width);
    for (let place = 0; place < width; place += 1) row[place] = Math.exp((scores[start + place] ?? 0) - largest);
    const sum = pairwiseSum(row, 0, width);
    for (let place = 0; place < width; place += 1) row[place] = (row[place] ?? 0) / sum;
  }
  return shares;
}

function maxOf(numbers: Float64Array, start: number, count: number): number {
  let largest = -Infinity;
  for (let at = start; at < start + count; at += 1) largest = Math.max(largest, numbers[at] ?? 0);
  return largest;
}
