import { describe, expect, it } from 'vitest';
import { spliced } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { cellOf } from '../features/cell.ts';
import { type Model, ModelError, modelOf, parseModel } from '../model/model.ts';
import type { PredictorPart } from './estimator.ts';
import type { HistGradientBoostingPart } from './hist-gradient-boosting.ts';

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

function predicted(model: Model, row: readonly (number | string | null)[]): number | undefined {
  return model.predict(
    Float64Array.from(row, (cell, column) => cellOf(model, column, cell) ?? Infinity),
    1,
  )[0];
}

describe('a column of categories', () => {
  const byName = modelOfCase(goldenCase('HistGradientBoostingRegressor-categorical-by-dtype/1.9.1'));
  const byNumber = modelOfCase(goldenCase('HistGradientBoostingRegressor-categorical/1.3.2'));

  it('takes the texts of the table that it was trained on', () => {
    expect([...(byName.texts.get(1)?.keys() ?? [])].toSorted()).toEqual([
      'Huế',
      'Hà Nội',
      'Sài Gòn',
      'Vinh',
      'Đà Nẵng',
    ]);
  });

  it('answers to an unknown text as to a missing one', () => {
    expect(predicted(byName, [0.1, 'Paris', 0, 3])).toBe(predicted(byName, [0.1, null, 0, 3]));
  });

  it.each([-1, -0.5, 77, 255, 256, 261, 1e10, Infinity])(
    'answers to the unknown number %s as to a missing one',
    (category) => {
      expect(predicted(byNumber, [0.1, category, 0, 3])).toBe(predicted(byNumber, [0.1, null, 0, 3]));
    },
  );
});

describe('a label', () => {
  /** A score so small that both probabilities round to a half. */
  const tie = (version: string) => {
    const golden = goldenCase(`HistGradientBoostingClassifier/${version}`);
    const data = parseModel(golden.file, golden.bytes, limits);
    const root = data.root as HistGradientBoostingPart;
    const trees = { ...root.trees, values: new Float64Array(root.trees.values.length) };
    return modelOf({ ...data, root: { ...root, trees, baseline: Float64Array.of(1e-20) } as PredictorPart });
  };

  it('of a score next to 0 is the second from scikit-learn 1.5 on, the first before', () => {
    const labels = ['1.2.2', '1.4.2', '1.5.2', '1.9.1'].map(
      (version) => tie(version).predict(new Float64Array(10), 1)[0],
    );

    expect(labels).toEqual([0, 0, 1, 1]);
  });
});

describe('a damaged file of boosted histograms', () => {
  const binary = fileOf('HistGradientBoostingClassifier/1.9.1');
  const sets = fileOf('HistGradientBoostingRegressor-categorical/1.9.1');
  const text = (value: string) => `\x8c${String.fromCharCode(value.length)}${value}`;

  it.each([
    ['a loss for regression', binary, 'HalfBinomialLoss', 'HalfSquaredError', /a loss that is not for 2 classes/],
    ['no sets', sets, text('raw_left_cat_bitsets'), text('raw_left_cat_bitsetz'), /raw_left_cat_bitsets/],
    ['no nodes', binary, text('nodes'), text('nodez'), /nodes/],
    ['no baseline', binary, text('_baseline_prediction'), text('_baseline_predictiox'), /_baseline_prediction/],
    ['another preprocessor', sets, text('encoder'), text('encodes'), /preprocessor/],
  ])('with %s is refused', (_, file, from, to, message) => {
    expect(refusalOf(spliced(file, from, to)).message).toMatch(message);
  });
});
