// XGBoost and LightGBM inside of a joblib file.
import { describe, expect, it } from 'vitest';
import { spliced } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, parseModel } from '../model/model.ts';

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

const classifier = fileOf('XGBClassifier/3.2.0');
const older = fileOf('XGBClassifier/1.7.6');
const regressor = fileOf('XGBRegressor/3.2.0');
const lightgbm = fileOf('LGBMClassifier/4.7.0');
/** Every place replaced: settings say again what the model says. */
function splicedAll(file: Uint8Array, from: string, to: string): Uint8Array {
  return new Uint8Array(Buffer.from(Buffer.from(file).toString('latin1').replaceAll(from, to), 'latin1'));
}

const text = (value: string) => `\x8c${String.fromCharCode(value.length)}${value}`;

describe('a joblib file with a booster in it', () => {
  it.each([
    ['XGBRegressor-named/3.2.0', ['size', 'city', 'rooms']],
    ['LGBMRegressor-named/4.7.0', ['size', 'city', 'rooms']],
    ['XGBRegressor/3.2.0', undefined],
    ['LGBMRegressor/4.7.0', undefined],
  ])('has the column names of the booster: %s', (name, names) => {
    expect(parseModel('model.joblib', fileOf(name), limits).featureNames).toEqual(names);
  });

  it('takes the texts of the training table', () => {
    expect(modelOfCase(goldenCase('LGBMRegressor-named/4.7.0')).texts.get(1)?.has('Saigon')).toBe(true);
  });

  it.each([
    [
      "XGBoost's old binary format",
      spliced(classifier, '{L\0\0\0\0\0\0\0\x06Config', 'binf\0\0\0\0\0\x06Config'),
      'model.json or model.ubj',
    ],
    ['a class that was not fitted', spliced(classifier, text('_Booster'), text('_Boostez')), 'not fitted'],
    ['a class that was not fitted, of LightGBM', spliced(lightgbm, text('_Booster'), text('_Boostez')), 'not fitted'],
    [
      'a regressor of classes',
      spliced(fileOf('XGBRFClassifier/3.2.0'), 'XGBRFClassifier', 'XGBRFRegressor'.padEnd(15)),
      'XGBRFRegressor',
    ],
    [
      'a classifier that is a regression',
      spliced(regressor, text('XGBRegressor'), text('XGBClassifier')),
      'not for classes',
    ],
    [
      'a booster of another module',
      spliced(classifier, text('xgboost.core'), text('xgboost.corf')),
      'xgboost.corf.Booster',
    ],
  ])('is refused with what to do: %s', (_, file, message) => {
    expect(refusalOf(file)).toMatchObject({
      reason: 'UnsupportedModel',
      message: expect.stringContaining(message) as string,
    });
  });

  it.each([
    ['bytes that are none', spliced(regressor, text('bytearray'), text('bytearraz'))],
    ['bytes that are cut', spliced(regressor, 'trees[#L', 'treez[#L')],
    ['no text of a booster', spliced(lightgbm, text('_handle'), text('_handlz'))],
    [
      'other classes than its booster',
      splicedAll(
        fileOf('XGBClassifier-multiclass/1.7.6'),
        'num_classSL\0\0\0\0\0\0\0\x013',
        'num_classSL\0\0\0\0\0\0\0\x012',
      ),
    ],
    ['no classes', spliced(lightgbm, text('_classes'), text('_clazzes'))],
  ])('is refused with %s', (_, file) => {
    expect(() => parseModel('model.joblib', file, limits)).toThrow(ModelError);
  });

  it('keeps the classes that older XGBoost wrote', () => {
    expect(parseModel('model.joblib', older, limits).root.classes).toEqual([0, 1]);
  });
});
