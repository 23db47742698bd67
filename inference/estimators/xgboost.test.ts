import { describe, expect, it } from 'vitest';
import { spliced } from '../../test/support/a-pickle.ts';
import { goldenCase, modelOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, ModelInputError, modelOf, parseModel } from '../model/model.ts';
import { previousFloats } from './xgboost-tree.ts';

const limits = { maxBytes: 16 * 2 ** 20 };
const regression = goldenCase('XGBoost-regression/3.2.0').bytes;
const classes = goldenCase('XGBoost-multiclass/3.2.0').bytes;
const dart = goldenCase('XGBoost-binary-dart/3.2.0').bytes;
const named = goldenCase('XGBoost-categorical-named/3.2.0');

function refusalOf(file: Uint8Array, name = 'model.json'): ModelError {
  try {
    parseModel(name, file, limits);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function refusedAsDamaged(file: Uint8Array) {
  expect(refusalOf(file).reason).toBe('LoadFailed');
}

const text = (content: string) => new TextEncoder().encode(content);

describe('a threshold', () => {
  const previous = (value: number) => previousFloats(Float64Array.of(value))[0] ?? NaN;

  it.each([1, 0.1, -0.1, 1e38, -1e38, 2 ** -149, -(2 ** -149), 3, -4])('below %s is the next float32', (value) => {
    const threshold = Math.fround(value);

    const below = previous(threshold);

    expect(below).toBeLessThan(threshold);
    expect(Math.fround((below + threshold) / 2) === below || Math.fround((below + threshold) / 2) === threshold).toBe(
      true,
    );
  });

  it('of zero parts negative numbers from both zeros', () => {
    expect(previous(0)).toBe(-(2 ** -149));
    expect(previous(-0)).toBe(-(2 ** -149));
  });
});

describe('a row for XGBoost', () => {
  it.each([Infinity, -Infinity, 1e39])('that holds %s is refused', (value) => {
    const model = modelOfCase(goldenCase('XGBoost-regression/3.2.0'));

    expect(() => model.predict(new Float64Array(10).fill(value), 1)).toThrow(ModelInputError);
  });

  it('takes the texts of the training table, and no others', () => {
    const model = modelOfCase(named);
    const codes = model.texts.get(1);

    expect([...(codes?.keys() ?? [])]).toContain('Saigon');
    expect(() => model.predict(Float64Array.of(0, -1, 3), 1)).toThrow(/not in the training set/);
    expect(() => model.predict(Float64Array.of(0, 1, 77), 1)).toThrow(/not in the training set/);
  });
});

describe('a file that XGBoost wrote', () => {
  it('has the names of the columns and the version', () => {
    const data = parseModel('model.json', named.bytes, limits);

    expect(data).toMatchObject({ featureNames: ['size', 'city', 'rooms'], writtenBy: 'XGBoost 3.2.0' });
  });

  it('is known by its content: JSON and UBJSON may have any ending of a booster', () => {
    const ubjson = goldenCase('XGBoost-regression-ubj/3.2.0').bytes;
    const rows = new Float64Array(10).fill(0.01);
    const answer = (name: string, bytes: Uint8Array) => modelOf(parseModel(name, bytes, limits)).predict(rows, 1)[0];

    expect(answer('model.bst', ubjson)).toBe(answer('model.json', regression));
  });
});

describe('a booster that is not for this server', () => {
  it.each([
    ['gblinear', spliced(regression, '"name":"gbtree"', '"name":"gblinear"'), 'booster gblinear'],
    ['an unknown objective', spliced(regression, 'reg:squarederror', 'reg:circlederror'), 'objective reg:circlederror'],
    ['several outputs', spliced(regression, '"num_target":"1"', '"num_target":"2"'), 'one model per output'],
    ['the old binary format', text('binf\0\0\0\0'), 'save it as model.json'],
    ['another JSON', text('{"tree_info":[]}'), 'learner'],
    ['no JSON', text('hello'), 'neither XGBoost'],
    ['letters beyond ASCII', spliced(named.bytes, '"values":[68,', '"values":[-61,'), 'beyond ASCII'],
  ])('is refused with what to do: %s', (_, file, message) => {
    expect(refusalOf(file).message).toContain(message);
  });
});

describe('a damaged booster', () => {
  it.each([
    [
      'another number of features',
      spliced(regression, '"num_feature":"10","num_target"', '"num_feature":"2","num_target"'),
    ],
    ['no features', spliced(regression, '"num_feature":"10","num_target"', '"num_feature":"0","num_target"')],
    ['another number of classes', spliced(classes, '"num_class":"3"', '"num_class":"2"')],
    ['classes of a regression', spliced(regression, '"num_class":"0"', '"num_class":"3"')],
    ['a base score of 0 for a probability', spliced(dart, '"base_score":"[', '"base_score":"[0,')],
    ['a base score that is no number', spliced(regression, '"base_score":"[', '"base_score":"[x')],
    ['fewer weights than trees', spliced(dart, '"weight_drop":[', '"weight_drop":[],"x":[')],
    ['a weight of NaN', spliced(dart, '"weight_drop":[6.1274505E-1', '"weight_drop":[NaN')],
    ['no trees', spliced(regression, '"trees":[', '"trees":1,"x":[')],
    ['no objective', spliced(regression, '"objective":', '"objectivo":')],
    ['a version that is none', spliced(regression, '"version":[', '"version":["x",')],
  ])('with %s is refused', (_, file) => {
    refusedAsDamaged(file);
  });

  it.each([
    ['a circle', '"left_children":[1,', '"left_children":[0,'],
    ['a child beyond the end', '"left_children":[1,', '"left_children":[1000,'],
    ['a fraction of a child', '"left_children":[1,', '"left_children":[1.5,'],
    ['another number of nodes', '"left_children":[1,', '"left_children":[1,1,'],
    ['a direction that is none', '"default_left":[', '"default_left":[2,'],
    ['a threshold of NaN', '"split_conditions":[', '"split_conditions":[NaN,'],
    ['a weight below 0', '"sum_hessian":[', '"sum_hessian":[-1,'],
    ['a feature beyond the row', '"split_indices":[', '"split_indices":[10,'],
    ['a set that is missing', '"split_type":[0', '"split_type":[1'],
  ])('with %s is refused', (_, from, to) => {
    const source = Buffer.from(regression).toString('latin1');
    const at = source.indexOf(from);
    const end = source.indexOf(']', at);
    // the same length as before, so that it is the number that is wrong
    const kept = to.split(',').length - from.split(',').length;
    const rest = source
      .slice(at + from.length, end)
      .split(',')
      .slice(kept)
      .join(',');

    refusedAsDamaged(text(`${source.slice(0, at)}${to}${rest}${source.slice(end)}`));
  });

  it('that asks for more memory than allowed is refused before it takes it', () => {
    const sets = '"categories":[16777215],"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[1]';
    const none = '"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[]';
    const file = Buffer.from(regression)
      .toString('latin1')
      .replaceAll(none, sets)
      .replaceAll('"split_type":[0', '"split_type":[1');

    expect(refusalOf(text(file)).reason).toBe('ArtifactTooLarge');
  });
});
