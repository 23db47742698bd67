// Walks flat trees. Bit for bit scikit-learn's predict_proba with n_jobs=1: the row is rounded to float32 and compared with
// float64 thresholds, the trees are added up in file order, and the sum is divided by their number.
import { ModelInputError } from './errors.ts';
import type { Trees } from './trees.ts';

/**
 * Class fractions for `count` rows of `features` numbers, row-major. Throws ModelInputError for rows of another length,
 * for infinity (also by rounding to float32), and for NaN where the model takes none.
 */
export function evaluate(trees: Trees, features: number, rows: Float64Array, count: number): Float64Array {
  if (!Number.isInteger(count) || count < 0 || rows.length !== count * features) {
    throw new ModelInputError(`X has ${rows.length} numbers, but ${count} rows of ${features} features are expected`);
  }
  const single = new Float32Array(rows);
  const hasMissing = checkFinite(single, trees.acceptsMissing);
  const sums = new Float64Array(count * trees.classes);
  // tree by tree, so that a batch keeps one tree in the cache; each row still adds in file order
  for (const root of trees.roots) {
    for (let row = 0; row < count; row += 1) {
      const from = row * features;
      const leaf = hasMissing ? leafWithMissing(trees, root, single, from) : leafOf(trees, root, single, from);
      addValues(trees, leaf, sums, row);
    }
  }
  const divisor = trees.roots.length;
  for (let at = 0; at < sums.length; at += 1) sums[at] = (sums[at] ?? 0) / divisor;
  return sums;
}

/** Whether there is NaN among the numbers. The messages are scikit-learn's. */
function checkFinite(numbers: Float32Array, acceptsMissing: boolean): boolean {
  let hasMissing = false;
  for (const number of numbers) {
    if (Number.isNaN(number)) hasMissing = true;
    else if (number === Infinity || number === -Infinity) {
      throw new ModelInputError("Input X contains infinity or a value too large for dtype('float32').");
    }
  }
  if (hasMissing && !acceptsMissing) throw new ModelInputError('Input X contains NaN.');
  return hasMissing;
}

function leafOf(trees: Trees, root: number, row: Float32Array, from: number): number {
  const { feature, threshold, left, right } = trees;
  let node = root;
  let column = feature[node] ?? -1;
  while (column >= 0) {
    const goesLeft = (row[from + column] ?? 0) <= (threshold[node] ?? 0);
    node = (goesLeft ? left[node] : right[node]) ?? 0;
    column = feature[node] ?? -1;
  }
  return left[node] ?? 0;
}

function leafWithMissing(trees: Trees, root: number, row: Float32Array, from: number): number {
  const { feature, threshold, left, right, missingLeft } = trees;
  let node = root;
  let column = feature[node] ?? -1;
  while (column >= 0) {
    const value = row[from + column] ?? 0;
    const goesLeft = Number.isNaN(value) ? missingLeft[node] === 1 : value <= (threshold[node] ?? 0);
    node = (goesLeft ? left[node] : right[node]) ?? 0;
    column = feature[node] ?? -1;
  }
  return left[node] ?? 0;
}

function addValues(trees: Trees, leaf: number, sums: Float64Array, row: number): void {
  const { classes, values } = trees;
  const to = row * classes;
  const from = leaf * classes;
  for (let place = 0; place < classes; place += 1) {
    sums[to + place] = (sums[to + place] ?? 0) + (values[from + place] ?? 0);
  }
}
