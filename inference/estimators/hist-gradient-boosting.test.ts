import { describe, expect, it } from 'vitest';
import { spliced } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { cellOf } from '../features/cell.ts';
import { type Model, ModelError, parseModel } from '../model/model.ts';

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

  it.each([-1, 77, 255, 256, 261, 1e10, Infinity])(
    'answers to the unknown number %s as to a missing one',
    (category) => {
      expect(predicted(byNumber, [0.1, category, 0, 3])).toBe(predicted(byNumber, [0.1, null, 0, 3]));
    },
  );
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
