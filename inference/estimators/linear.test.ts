import { describe, expect, it } from 'vitest';
import { seededRandom, spliced } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, ModelInputError, parseModel } from '../model/model.ts';

const limits = { maxBytes: 16 * 2 ** 20 };

function fileOf(name: string): Uint8Array {
  return decompressed(goldenCase(name).bytes);
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

/** As numpy writes them. */
function doubles(numbers: Float64Array): string {
  return Buffer.from(numbers.slice().buffer).toString('latin1');
}

describe('a row for a linear model', () => {
  it.each([
    [NaN, 'Input X contains NaN.'],
    [-Infinity, "Input X contains infinity or a value too large for dtype('float64')."],
  ])('that holds %s is refused as scikit-learn does', (value, message) => {
    const model = modelOfCase(goldenCase('Ridge/1.9.1'));

    expect(() => model.predict(new Float64Array(10).with(3, value), 1)).toThrow(new ModelInputError(message));
  });
});

describe('a linear model', () => {
  it('whose classes all get nothing is as likely one as the other', () => {
    const model = modelOfCase(goldenCase('SGDClassifier-modified_huber/1.9.1'));
    const random = seededRandom(1);
    const any = Array.from({ length: 500 }, () => Float64Array.from({ length: 4 }, () => random() * 20 - 10));
    const row = any.find((cells) => model.decisionFunction?.(cells, 1).every((score) => score < -1));

    expect(row).toBeDefined();
    expect(model.predictProba?.(row ?? new Float64Array(), 1)).toEqual(new Float64Array(3).fill(1 / 3));
  });
});

describe('a damaged file of a linear model', () => {
  const column = fileOf('LinearRegression-column/1.9.1');
  const three = fileOf('LogisticRegression-texts/1.9.1');
  const ridge = fileOf('RidgeClassifier/1.9.1');
  const old = fileOf('LogisticRegression/1.2.2');

  it.each([
    ['weights for other columns', spliced(column, 'K\x01K\x0a\x86', 'K\x0aK\x01\x86'), /several outputs/],
    ['weights for several outputs', spliced(column, 'K\x01K\x0a\x86', 'K\x02K\x05\x86'), /several outputs/],
    [
      'more weights than columns',
      spliced(column, 'n_features_in_\x94K\x0a', 'n_features_in_\x94K\x09'),
      /coef_ has the shape/,
    ],
    ['weights for fewer classes', spliced(three, 'K\x03K\x04\x86', 'K\x02K\x06\x86'), /coef_ has the shape/],
    ['no weights', spliced(three, '\x05coef_', '\x05coex_'), /not fitted/],
    ['no labels', spliced(ridge, 'y_type_', 'y_tipe_'), /y_type_/],
    ['many labels a row', spliced(ridge, '\x06binary', '\x0amultilabel'), /several outputs/],
    ['another way of many classes', spliced(old, '\x04auto', '\x04autx'), /multi_class="autx"/],
  ])('with %s is refused', (_, file, message) => {
    expect(refusalOf(file).message).toMatch(message);
  });

  it.each([NaN, Infinity, 1e200])('with a weight of %s is refused', (weight) => {
    const golden = goldenCase('LinearRegression-origin/1.9.1');
    // without an intercept, the answer to a row of zeros and a one is a weight
    const own = modelOfCase(golden).predict(new Float64Array(10).with(2, 1), 1);

    const damaged = spliced(decompressed(golden.bytes), doubles(own), doubles(Float64Array.of(weight)));

    expect(refusalOf(damaged).message).toMatch(/coef_ holds/);
  });
});
