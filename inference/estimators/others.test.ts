// Naive Bayes, neural networks, clusters and outliers: what their goldens do not show.
import { describe, expect, it } from 'vitest';
import { spliced, text } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, parseModel } from '../model/model.ts';

const limits = { maxBytes: 16 * 2 ** 20 };

function fileOf(name: string, version = '1.9.1'): Uint8Array {
  return decompressed(goldenCase(`${name}/${version}`).bytes);
}

function refusalOf(file: Uint8Array): ModelError {
  try {
    parseModel('model.joblib', file, limits);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('rows that scikit-learn refuses', () => {
  it.each(['GaussianNB', 'MLPClassifier', 'MLPRegressor', 'KMeans'])('NaN and infinity: %s', (name) => {
    const model = modelOfCase(goldenCase(`${name}/1.9.1`));
    const row = (cell: number) => new Float64Array(model.features).fill(cell);

    expect(() => model.predict(row(NaN), 1)).toThrow('Input X contains NaN.');
    expect(() => model.predict(row(Infinity), 1)).toThrow(/infinity/);
  });

  it('NaN and infinity for an isolation forest, until scikit-learn 1.5', () => {
    const row = (cell: number) => new Float64Array(10).fill(cell);
    const ask = (version: string, cell: number) =>
      modelOfCase(goldenCase(`IsolationForest/${version}`)).predict(row(cell), 1);

    expect(() => ask('1.5.2', NaN)).toThrow('Input X contains NaN.');
    expect(() => ask('1.2.2', 1e39)).toThrow(/infinity.*float32/);
    expect(ask('1.6.1', NaN)).toHaveLength(1);
    expect(ask('1.9.1', Infinity)).toEqual(ask('1.9.1', 1e38));
  });
});

describe('a damaged file', () => {
  it.each([
    ['bell curves without a width', spliced(fileOf('GaussianNB'), text('var_'), text('vax_')), /var_/],
    [
      'layers that do not follow each other',
      spliced(fileOf('MLPClassifier'), 'K\x0aK\x06\x86', 'K\x06K\x0a\x86'),
      /coefs_ has the shape/,
    ],
    ['another activation', spliced(fileOf('MLPClassifier-tanh'), text('tanh'), text('sinh')), /activation="sinh"/],
    [
      'another last function',
      spliced(fileOf('MLPClassifier-tanh'), text('softmax'), text('logistic')),
      /other outputs/,
    ],
    [
      'several numbers to predict',
      spliced(fileOf('MLPRegressor'), 'n_outputs_\x94K\x01', 'n_outputs_\x94K\x02'),
      /several outputs/,
    ],
    [
      'centers of other columns',
      spliced(fileOf('KMeans'), 'n_features_in_\x94K\x04', 'n_features_in_\x94K\x05'),
      /cluster_centers_/,
    ],
    [
      'trees of other columns',
      spliced(fileOf('IsolationForest-contamination'), '_max_features\x94K\x04', '_max_features\x94K\x0a'),
      /other features/,
    ],
    ['trees without a threshold', spliced(fileOf('IsolationForest'), text('offset_'), text('offsex_')), /offset_/],
  ])('with %s is refused', (_, file, message) => {
    expect(refusalOf(file).message).toMatch(message);
  });
});
