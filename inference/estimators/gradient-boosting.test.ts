import { describe, expect, it } from 'vitest';
import { spliced } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, ModelInputError, modelOf, parseModel } from '../model/model.ts';

const limits = { maxBytes: 16 * 2 ** 20 };

function fileOf(name: string): Uint8Array {
  return decompressed(goldenCase(name).bytes);
}

/** A double as pickles have it. */
function binfloat(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return `G${bytes.toString('latin1')}`;
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

describe('a row for boosted trees', () => {
  it.each([NaN, Infinity, 1e39])('that holds %s is refused as scikit-learn does', (value) => {
    const model = modelOfCase(goldenCase('GradientBoostingRegressor/1.9.1'));

    expect(() => model.predict(new Float64Array(10).fill(value), 1)).toThrow(ModelInputError);
  });
});

describe('a label', () => {
  const tie = (version: string) => modelOf(parseModel('m.pkl', tied(version), limits));
  /** Trees that add nothing: a score of exactly 0. */
  const tied = (version: string) =>
    spliced(fileOf(`GradientBoostingClassifier-zero/${version}`), binfloat(0.3), binfloat(0));

  it('of a score of 0 is the second from scikit-learn 1.4 on, the first before', () => {
    const labels = ['1.2.2', '1.3.2', '1.4.2', '1.9.1'].map(
      (version) => tie(version).predict(new Float64Array(10), 1)[0],
    );

    expect(labels).toEqual([0, 0, 1, 1]);
  });
});

describe('a damaged file of boosted trees', () => {
  const binary = fileOf('GradientBoostingClassifier/1.9.1');
  const several = fileOf('GradientBoostingClassifier-multiclass/1.9.1');
  const number = fileOf('GradientBoostingRegressor/1.9.1');

  it.each([
    ['a learning rate of infinity', spliced(number, binfloat(0.3), binfloat(Infinity)), /leaves/],
    ['a learning rate of NaN', spliced(number, binfloat(0.3), binfloat(NaN)), /leaves/],
    ['a learning rate that is text', spliced(number, binfloat(0.3), '\x8c\x011'), /instead of a number/],
    ['steps that lack a tree', spliced(several, '\x8c\x0bestimators_', '\x8c\x0bestimatorz_'), /estimators_/],
    ['a first estimator of other classes', spliced(binary, 'class_prior_', 'class_priox_'), /class_prior_/],
    ['no first estimator', spliced(number, '\x8c\x05init_', '\x8c\x05inix_'), /init_/],
  ])('with %s is refused', (_, file, message) => {
    expect(refusalOf(file).message).toMatch(message);
  });

  it('with a loss that is not known is refused by its name', () => {
    expect(refusalOf(spliced(binary, '\x8c\x08log_loss', '\x8c\x08log_lozz')).message).toContain('loss="log_lozz"');
  });
});
