import { describe, expect, it } from 'vitest';
import { spliced, text } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, parseModel } from '../model/model.ts';
import { interpolated } from './isotonic.ts';

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

it('lines between points go through them, and stay level beyond the ends', () => {
  const steps = { x: Float64Array.of(1, 2, 4), y: Float64Array.of(0, 0.5, 0.75) };
  const values = [-Infinity, 0, 1, 1.5, 2, 3, 4, 5, Infinity];

  expect(values.map((value) => interpolated(steps, value))).toEqual([0, 0, 0, 0.25, 0.5, 0.625, 0.75, 0.75, 0.75]);
  expect(interpolated({ x: Float64Array.of(3), y: Float64Array.of(0.4) }, 7)).toBe(0.4);
});

describe('combined estimators', () => {
  it('refuse a row as the estimator inside does', () => {
    const names = ['CalibratedClassifierCV', 'VotingRegressor', 'StackingClassifier'];

    for (const name of names) {
      const model = modelOfCase(goldenCase(`${name}/1.9.1`));
      expect(() => model.predict(new Float64Array(model.features).fill(Infinity), 1)).toThrow(/infinity/);
    }
  });

  it('that vote by majority give no probabilities', () => {
    expect(modelOfCase(goldenCase('VotingClassifier-hard/1.9.1')).predictProba).toBeUndefined();
  });
});

describe('a damaged file of combined estimators', () => {
  it.each([
    ['no curves', spliced(fileOf('CalibratedClassifierCV'), text('calibrators'), text('calibratorz')), /calibrators/],
    ['a curve without a slope', spliced(fileOf('CalibratedClassifierCV-whole'), text('a_'), text('x_')), /not fitted/],
    [
      'points that are cut off elsewhere',
      spliced(fileOf('CalibratedClassifierCV-isotonic'), text('clip'), text('cliq')),
      /left to right/,
    ],
    ['another way of voting', spliced(fileOf('VotingClassifier'), text('soft'), text('sofa')), /voting="sofa"/],
    [
      'estimators that are asked for nothing',
      spliced(fileOf('StackingClassifier'), text('stack_method_'), text('stack_methox_')),
      /stack_method_/,
    ],
    [
      'an unknown method',
      spliced(fileOf('StackingClassifier'), text('predict_proba'), text('predict_probz')),
      /asked for nothing/,
    ],
    [
      'no last estimator',
      spliced(fileOf('StackingRegressor'), text('final_estimator_'), text('final_estimatox_')),
      /final_estimator_/,
    ],
    [
      'a search without a result',
      spliced(fileOf('GridSearchCV'), text('best_estimator_'), text('best_estimatox_')),
      /best_estimator_/,
    ],
    ['no way back', spliced(fileOf('TransformedTargetRegressor'), text('expm1'), text('expm2')), /numpy\.expm2/],
    ['another kind of sum', spliced(fileOf('TweedieRegressor-link'), text('log'), text('lug')), /link="lug"/],
  ])('with %s is refused', (_, file, message) => {
    expect(refusalOf(file).message).toMatch(message);
  });
});
