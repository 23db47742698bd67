import { describe, expect, it } from 'vitest';
import { spliced, text } from '../../test/support/a-pickle.ts';
import { decompressed } from '../../test/support/damage.ts';
import { goldenCase, modelOfCase, rowsOfCase } from '../../test/support/estimator-fixtures.ts';
import { ModelError, ModelInputError, modelOf, parseModel } from '../model/model.ts';

const limits = { maxBytes: 16 * 2 ** 20 };

function fileOf(name: string): Uint8Array {
  return decompressed(goldenCase(`Pipeline+${name}/1.9.1`).bytes);
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

describe('categories that training has not seen', () => {
  const golden = goldenCase('Pipeline+OneHotEncoder/1.9.1');
  const [known = []] = golden.inputs;
  const ask = (cells: typeof known) => {
    const model = modelOfCase(golden);
    return model.predict(rowsOfCase({ ...golden, inputs: [cells] }, model), 1);
  };

  it('are refused in scikit-learn words where the encoder says so', () => {
    expect(ask(known)).toHaveLength(1);
    expect(() => ask(known.with(1, 'gold'))).toThrow(
      new ModelInputError('Found unknown categories in column 1 during transform'),
    );
  });

  it('are named when they are missing or a number', () => {
    const numbers = modelOf(
      parseModel('m.pkl', spliced(fileOf('OneHotEncoder-ignore'), text('ignore'), text('error')), limits),
    );

    expect(() => ask(known.with(1, null))).toThrow('Found unknown categories [nan] in column 1 during transform');
    expect(() => numbers.predict(Float64Array.of(1, 7.5), 1)).toThrow(
      'Found unknown categories [7.5] in column 1 during transform',
    );
  });
});

describe('rows that a transformer refuses', () => {
  it.each([
    ['StandardScaler', Infinity, /Input X contains infinity/],
    ['SimpleImputer', -Infinity, /Input X contains infinity/],
    ['SimpleImputer-number', NaN, /Input X contains NaN/],
    ['FunctionTransformer-log1p', NaN, /Input X contains NaN/],
    ['PolynomialFeatures', NaN, /Input X contains NaN/],
    ['SelectKBest', NaN, /Input X contains NaN/],
    ['Normalizer', NaN, /Input X contains NaN/],
    ['PowerTransformer-box-cox', -1, /strictly positive/],
    ['PowerTransformer', Infinity, /Input X contains infinity/],
    ['KBinsDiscretizer', NaN, /Input X contains NaN/],
    ['TargetEncoder', Infinity, /Input X contains infinity/],
    ['OneHotEncoder-ignore', Infinity, /Input X contains infinity/],
  ])('%s: %s', (name, cell, message) => {
    const model = modelOfCase(goldenCase(`Pipeline+${name}/1.9.1`));

    expect(() => model.predict(new Float64Array(model.features).fill(cell), 1)).toThrow(message);
  });
});

describe('a pipeline that cannot be served', () => {
  it.each([
    [
      'a function that is not of numpy',
      spliced(fileOf('FunctionTransformer-sqrt'), text('sqrt'), text('eval')),
      /numpy\.eval/,
    ],
    [
      'arguments for a function',
      spliced(
        fileOf('FunctionTransformer-sqrt'),
        `${text('kw_args')}\x94N`,
        `${text('kw_args')}\x94}${text('a')}K\x01s`,
      ),
      /of numpy\.sqrt is not supported.*without kw_args/,
    ],
    ['numbers of 32 bits', spliced(fileOf('OneHotEncoder'), text('float64'), text('float32')), /dtype=float32/],
    [
      'text where its column is a number',
      spliced(fileOf('ColumnTransformer-set_output'), 'K\x04K\x05e', 'K\x02K\x05e'),
      /read as text and as a number/,
    ],
    ['an unknown way with unknown categories', spliced(fileOf('OneHotEncoder'), text('error'), text('panic')), /panic/],
    ['an unknown strategy', spliced(fileOf('SimpleImputer-constant'), text('constant'), text('constanz')), /constanz/],
    [
      'a scale of other columns',
      spliced(fileOf('MinMaxScaler'), 'n_features_in_\x94K\x04', 'n_features_in_\x94K\x05'),
      /shape/,
    ],
    [
      'columns beyond the table',
      spliced(fileOf('ColumnTransformer-places'), 'K\x06K\x07K\x08e', 'K\x06K\x07K\x2ae'),
      /columns that it has not/,
    ],
    [
      'bins of other columns',
      spliced(fileOf('KBinsDiscretizer-ordinal'), text('bin_edges_'), text('bin_edgex_')),
      /bin_edges_/,
    ],
    [
      'encodings of no target',
      spliced(fileOf('TargetEncoder'), text('binary'), text('bunary')),
      /target_type_="bunary"/,
    ],
    ['another way to bend', spliced(fileOf('PowerTransformer-box-cox'), text('box-cox'), text('box-coq')), /box-coq/],
  ])('for %s is refused', (_, file, message) => {
    expect(refusalOf(file).message).toMatch(message);
  });
});
