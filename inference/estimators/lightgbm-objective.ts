// What LightGBM makes of the sums of its trees.
import { shown } from '../formats/byte-reader.ts';
import { damagedDocument } from '../formats/document.ts';
import { ModelError } from '../model/errors.ts';
import { expit } from './links.ts';

export type LightgbmLink = 'identity' | 'square' | 'exp' | 'sigmoid' | 'softmax' | 'sigmoids' | 'log1pExp';

export interface LightgbmObjective {
  readonly task: 'classifier' | 'regressor' | 'ranker';
  readonly link: LightgbmLink;
  /** Factor of the score in a sigmoid. */
  readonly slope: number;
}

type Known = Omit<LightgbmObjective, 'slope'>;

const REGRESSION: Known = { task: 'regressor', link: 'identity' };
const POSITIVE: Known = { task: 'regressor', link: 'exp' };
const RANKING: Known = { task: 'ranker', link: 'identity' };

const OBJECTIVES: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['regression', REGRESSION],
  ['regression_l1', REGRESSION],
  ['huber', REGRESSION],
  ['fair', REGRESSION],
  ['quantile', REGRESSION],
  ['mape', REGRESSION],
  ['poisson', POSITIVE],
  ['gamma', POSITIVE],
  ['tweedie', POSITIVE],
  ['cross_entropy', { task: 'regressor', link: 'sigmoid' }],
  ['cross_entropy_lambda', { task: 'regressor', link: 'log1pExp' }],
  ['lambdarank', RANKING],
  ['rank_xendcg', RANKING],
  ['binary', { task: 'classifier', link: 'sigmoid' }],
  ['multiclass', { task: 'classifier', link: 'softmax' }],
  ['multiclassova', { task: 'classifier', link: 'sigmoids' }],
]);

/** From the line of the file, such as `binary sigmoid:1`. A model of an objective of one's own has none: its answers are the sums. Throws ModelError. */
export function objectiveOf(line: string): LightgbmObjective {
  const [name = '', ...settings] = line.split(' ');
  if (name === '' || name === 'custom') return { task: 'regressor', link: 'identity', slope: 1 };
  const known = OBJECTIVES.get(name);
  if (known === undefined) {
    throw new ModelError(
      'UnsupportedModel',
      `LightGBM with objective ${shown(name)} is not supported: use one of docs/models.md`,
    );
  }
  const slope = Number(settings.find((setting) => setting.startsWith('sigmoid:'))?.slice('sigmoid:'.length) ?? 1);
  if (!(slope > 0 && slope < Infinity)) throw damagedDocument(`objective ${line}`);
  const isSquare = known.link === 'identity' && settings.includes('sqrt');
  return { ...known, ...(isSquare && { link: 'square' }), slope };
}

/** The answer to one score. */
export function answerOf({ link, slope }: LightgbmObjective): (score: number) => number {
  switch (link) {
    case 'square':
      return (score) => Math.sign(score) * score * score;
    case 'exp':
      return Math.exp;
    case 'sigmoid':
    case 'sigmoids':
      return (score) => expit(slope * score);
    case 'log1pExp':
      return (score) => Math.log1p(Math.exp(score));
    case 'identity':
    case 'softmax':
      return (score) => score;
  }
}

/** LightGBM's Softmax of every row of `width` numbers: added up one after the other. */
export function softmaxOfScores(scores: Float64Array, width: number): Float64Array {
  const shares = new Float64Array(scores.length);
  for (let start = 0; start < scores.length; start += width) {
    const row = scores.subarray(start, start + width);
    const largest = row.reduce((most, score) => Math.max(most, score), -Infinity);
    const powers = row.map((score) => Math.exp(score - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    shares.set(
      powers.map((power) => power / sum),
      start,
    );
  }
  return shares;
}
