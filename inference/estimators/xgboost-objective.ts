// What XGBoost makes of the sums of its trees, in float32 as it computes, and of the number that they start from.

export type XgboostLink = 'identity' | 'sigmoid' | 'softmax' | 'exp' | 'sign';

export interface Objective {
  readonly task: 'classifier' | 'regressor' | 'ranker';
  readonly link: XgboostLink;
}

const REGRESSION: Objective = { task: 'regressor', link: 'identity' };
const POSITIVE: Objective = { task: 'regressor', link: 'exp' };
const RANKING: Objective = { task: 'ranker', link: 'identity' };

/** By the name that stands in the file. */
export const OBJECTIVES: ReadonlyMap<string, Objective> = new Map<string, Objective>([
  ['reg:squarederror', REGRESSION],
  ['reg:linear', REGRESSION],
  ['reg:squaredlogerror', REGRESSION],
  ['reg:pseudohubererror', REGRESSION],
  ['reg:absoluteerror', REGRESSION],
  ['reg:quantileerror', REGRESSION],
  ['reg:logistic', { task: 'regressor', link: 'sigmoid' }],
  ['reg:gamma', POSITIVE],
  ['reg:tweedie', POSITIVE],
  ['count:poisson', POSITIVE],
  ['survival:cox', POSITIVE],
  ['survival:aft', POSITIVE],
  ['rank:pairwise', RANKING],
  ['rank:ndcg', RANKING],
  ['rank:map', RANKING],
  ['binary:logistic', { task: 'classifier', link: 'sigmoid' }],
  ['binary:hinge', { task: 'classifier', link: 'sign' }],
  ['multi:softprob', { task: 'classifier', link: 'softmax' }],
  ['multi:softmax', { task: 'classifier', link: 'softmax' }],
]);

const { fround } = Math;

/** The sum that stands for a prediction; base_score is written as a prediction. */
export function marginOf(prediction: number, link: XgboostLink): number {
  const share = fround(prediction);
  if (link === 'sigmoid') return fround(-Math.log(fround(fround(1 / share) - 1)));
  return link === 'exp' ? fround(Math.log(share)) : share;
}

/** XGBoost's Sigmoid; the bound keeps exp finite. */
export function sigmoid(margin: number): number {
  const grown = fround(Math.exp(Math.min(-margin, fround(88.7))));
  return fround(1 / fround(grown + 1));
}

/** XGBoost's Softmax of every row of `width` numbers: powers are float32, their sum is a double. */
export function softmaxOfMargins(margins: Float64Array, width: number): Float64Array {
  const shares = new Float64Array(margins.length);
  for (let start = 0; start < margins.length; start += width) {
    const row = margins.subarray(start, start + width);
    const largest = row.reduce((most, margin) => Math.max(most, margin), -Infinity);
    const powers = row.map((margin) => fround(Math.exp(fround(margin - largest))));
    const sum = fround(powers.reduce((total, power) => total + power, 0));
    for (let place = 0; place < width; place += 1) shares[start + place] = fround((powers[place] ?? 0) / sum);
  }
  return shares;
}
