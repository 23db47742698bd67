// The population stability index: how far one distribution is from another over the same bins. Pure.

/** An empty bin counts as this share, so that the logarithm stays finite. */
const LEAST_SHARE = 1e-4;

/**
 * The sum over all bins of (actual − expected) · ln(actual / expected), as credit scoring uses it (Siddiqi, Credit Risk Scorecards, 2006): 0 for equal
 * distributions; below 0.1 is called stable, above 0.25 a shift. Chance alone gives about (bins − 1) / rows.
 *
 * @param expected shares of the bins, which add up to 1
 * @param counts rows in each bin, over the same bins; not all 0
 */
export function populationStability(expected: Float64Array, counts: Float64Array): number {
  let rows = 0;
  for (const count of counts) rows += count;
  let index = 0;
  for (let at = 0; at < expected.length; at += 1) {
    const share = Math.max(expected[at] ?? 0, LEAST_SHARE);
    const actual = Math.max((counts[at] ?? 0) / rows, LEAST_SHARE);
    index += (actual - share) * Math.log(actual / share);
  }
  return index;
}
