import { describe, expect, it } from 'vitest';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, parseModel } from '../model/model.ts';

const limits = { maxBytes: 16 * 2 ** 20 };
const textOf = (name: string) => Buffer.from(goldenCase(name).bytes).toString();
const regression = textOf('LightGBM-regression/4.7.0');
const several = textOf('LightGBM-multiclass/4.7.0');
const sets = textOf('LightGBM-categorical/4.7.0');
const named = textOf('LightGBM-categorical-named/4.7.0');

function refusalOf(text: string): ModelError {
  try {
    parseModel('model.txt', new TextEncoder().encode(text), limits);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** The first occurrence replaced; there has to be one. */
function changed(text: string, from: string | RegExp, to: string): string {
  const other = text.replace(from, to);
  if (other === text) throw new Error(`nothing to replace: ${String(from)}`);
  return other;
}

describe('a file that LightGBM wrote', () => {
  it('has the names of the columns and the version of its format', () => {
    const data = parseModel('model.txt', new TextEncoder().encode(named), limits);

    expect(data).toMatchObject({ featureNames: ['size', 'city', 'rooms'], writtenBy: 'LightGBM, format v4' });
    expect(data.texts.get(1)).toContain('Đà Nẵng');
  });

  it('answers to an unknown text as to a missing one', () => {
    const model = modelOfCase(goldenCase('LightGBM-categorical-named/4.7.0'));

    expect(model.predict(Float64Array.of(0, -1, 3), 1)).toEqual(model.predict(Float64Array.of(0, NaN, 3), 1));
  });

  it("of an objective of one's own answers with the sums", () => {
    const own = changed(regression, 'objective=regression\n', 'objective=custom\n');
    const data = parseModel('model.txt', new TextEncoder().encode(own), limits);

    expect(data.root).toMatchObject({ task: 'regressor', objective: { link: 'identity' } });
  });
});

describe('a booster that is not for this server', () => {
  it.each([
    ['linear trees', changed(regression, 'is_linear=0', 'is_linear=1'), 'linear_tree=true'],
    ['an unknown objective', changed(regression, 'objective=regression', 'objective=circle'), 'objective circle'],
    ['an old format', changed(regression, 'version=v4', 'version=v2'), 'LightGBM 3.3 or newer'],
    [
      'several outputs',
      changed(several, 'objective=multiclass num_class:3', 'objective=regression'),
      'one model per output',
    ],
    [
      'columns that cannot be told apart',
      changed(named, 'pandas_categorical:[[', 'pandas_categorical:[[1,2],['),
      'constant or ordered',
    ],
  ])('is refused with what to do: %s', (_, file, message) => {
    expect(refusalOf(file)).toMatchObject({
      reason: 'UnsupportedModel',
      message: expect.stringContaining(message) as string,
    });
  });

  it('is refused where zeros are missing values in some trees only', () => {
    const zeros = textOf('LightGBM-regression-zeros/4.7.0');

    expect(refusalOf(changed(zeros, /decision_type=\d+/, 'decision_type=2')).message).toContain('in some trees only');
  });
});

describe('a damaged booster', () => {
  it.each([
    ['another number of features', regression, 'max_feature_idx=9', 'max_feature_idx=3'],
    ['a negative number of features', regression, 'max_feature_idx=9', 'max_feature_idx=-1'],
    ['other trees than classes', several, 'num_tree_per_iteration=3', 'num_tree_per_iteration=2'],
    ['a tree too few', several, /Tree=14\n[^]*?\n\n\n/, ''],
    ['a slope of 0', textOf('LightGBM-binary/4.7.0'), 'sigmoid:1', 'sigmoid:0'],
    ['another number of leaves', regression, 'num_leaves=7', 'num_leaves=8'],
    ['a circle', regression, 'left_child=1', 'left_child=0'],
    ['a child beyond the end', regression, 'left_child=1', 'left_child=9'],
    ['a leaf beyond the end', regression, /right_child=\S+/, 'right_child=-9'],
    ['a feature beyond the row', regression, /split_feature=\d+/, 'split_feature=10'],
    ['a threshold that is no number', regression, /\nthreshold=\S+/, '\nthreshold=x'],
    ['an infinite answer', regression, /leaf_value=\S+/, 'leaf_value=inf'],
    ['a decision that is none', regression, /decision_type=\d+/, 'decision_type=16'],
    ['a kind of missing value that is none', regression, /decision_type=\d+/, 'decision_type=14'],
    ['a set beyond the list', sets, /cat_boundaries=0 \d+/, 'cat_boundaries=0 99999'],
    ['an empty set', sets, /cat_boundaries=0 \d+/, 'cat_boundaries=0 0'],
    ['a set that is no bits', sets, /cat_threshold=\d+/, 'cat_threshold=4294967296'],
    ['no sets', sets, 'cat_threshold', 'cat_thresholz'],
    ['a negative count', regression, /leaf_count=\d+/, 'leaf_count=-1'],
  ])('with %s is refused', (_, file, from, to) => {
    expect(refusalOf(changed(file, from, to)).reason).toBe('LoadFailed');
  });

  it('that asks for more memory than allowed is refused before it takes it', () => {
    expect(refusalOf(regression.replaceAll('num_leaves=7', 'num_leaves=99999999')).reason).toBe('ArtifactTooLarge');
  });
});
