import { describe, expect, it } from 'vitest';
import { spliced } from '../../test/support/a-pickle.ts';
import { archived, goldenOf, modelFile, rowsOf } from '../../test/support/model-fixtures.ts';
import { type Model, ModelError, ModelInputError, modelOf, parseModel, transferables } from './model.ts';
import type { ModelData } from './model-data.ts';

const limits = { maxBytes: 64 * 2 ** 20 };

function dataOf(fixture: string): ModelData {
  const { name, bytes } = modelFile(fixture);
  return parseModel(name, bytes, limits);
}

function loaded(fixture: string): Model {
  return modelOf(dataOf(fixture));
}

function probaOf({ predictProba }: Model, rows: Float64Array, count = 1): Float64Array {
  if (predictProba === undefined) throw new Error('it has no predict_proba');
  return predictProba(rows, count);
}

describe('a model file that scikit-learn wrote', () => {
  it('keeps the column names of the table that it was fitted on', () => {
    const metadata = JSON.parse(Buffer.from(archived('basket-blue', 'metadata.json')).toString()) as {
      features: string[];
    };

    expect(loaded('basket-blue').featureNames).toEqual(metadata.features);
    expect(loaded('iris-new').featureNames).toBeUndefined();
  });

  it('says which scikit-learn wrote it, and its class', () => {
    expect(dataOf('basket-blue')).toMatchObject({ writtenBy: '1.3.2', root: { modelType: 'RandomForestClassifier' } });
  });

  it('can be handed to another thread without a copy', () => {
    const golden = goldenOf('iris-missing');
    const data = dataOf('iris-missing');

    const moved = structuredClone(data, { transfer: transferables(data) });

    expect(transferables(data).every(({ byteLength }) => byteLength === 0)).toBe(true);
    expect(Array.from(probaOf(modelOf(moved), rowsOf(golden), golden.inputs.length))).toEqual(
      golden.predict_proba.flat(),
    );
  });

  it('counts the memory of its arrays', () => {
    const data = dataOf('basket-blue');

    expect(modelOf(data).bytes).toBe(transferables(data).reduce((sum, { byteLength }) => sum + byteLength, 0));
  });
});

describe('rows that scikit-learn refuses', () => {
  const before14 = ['iris-sk122', 'iris-sk132'];
  const from14 = ['iris-sk142', 'iris-new', 'iris-bare'];

  it.each(before14)('NaN, when the forest is of scikit-learn 1.3 or older (%s)', (fixture) => {
    expect(() => probaOf(loaded(fixture), Float64Array.of(1, 2, NaN, 4))).toThrow(
      new ModelInputError('Input X contains NaN.'),
    );
  });

  it.each(from14)('not NaN, when it is of 1.4 or newer (%s)', (fixture) => {
    const sum = probaOf(loaded(fixture), Float64Array.of(1, 2, NaN, 4)).reduce((a, b) => a + b);

    expect(sum).toBeCloseTo(1, 12);
  });

  it('NaN, when it has monotonic constraints and is older than 1.9', () => {
    const { name, bytes } = modelFile('iris-bare');
    const older = modelOf(parseModel(name, spliced(bytes, '1.9.1', '1.8.1'), limits));

    expect(() => probaOf(older, Float64Array.of(1, 2, NaN, 4))).toThrow(ModelInputError);
  });

  it.each([Infinity, -Infinity, 1e39, -3.5e38])('%s, which is infinite as float32', (value) => {
    expect(() => probaOf(loaded('iris-new'), Float64Array.of(1, 2, 3, value))).toThrow(
      new ModelInputError("Input X contains infinity or a value too large for dtype('float32')."),
    );
  });

  it.each([
    ['too short', 3, 1],
    ['too long', 5, 1],
    ['fewer than announced', 4, 2],
    ['a negative number of them', 4, -1],
    ['half of one', 2, 0.5],
  ])('%s', (_, length, count) => {
    expect(() => probaOf(loaded('iris-new'), new Float64Array(length), count)).toThrow(ModelInputError);
  });

  it('but no rows at all are answered by nothing', () => {
    expect(probaOf(loaded('iris-new'), new Float64Array(0), 0)).toEqual(new Float64Array(0));
  });
});

describe('a file that is not a model', () => {
  it.each([
    [
      'refused-neighbours',
      'UnsupportedModel',
      /sklearn\.neighbors\._classification\.KNeighborsClassifier .*docs\/models\.md/,
    ],
    ['refused-outputs', 'UnsupportedModel', /several outputs: train one model per output/],
    ['refused-unfitted', 'UnsupportedModel', /not fitted: call fit/],
    ['refused-dict', 'UnsupportedModel', /holds a dict: save the fitted estimator itself/],
    ['refused-bz2', 'UnsupportedModel', /bz2.*compress=\('zlib', 3\)/],
    ['refused-lzma', 'UnsupportedModel', /lzma.*compress=\('zlib', 3\)/],
  ])('%s is refused as %s', (fixture, reason, message) => {
    expect(refusalOf(() => dataOf(fixture))).toMatchObject({
      reason,
      message: expect.stringMatching(message) as string,
    });
  });

  it.each(['model.onnx', 'model.json', 'joblib', 'model.joblib.sh'])('%s has no reader', (name) => {
    expect(refusalOf(() => parseModel(name, new Uint8Array(4), limits)).reason).toBe('UnsupportedModel');
  });

  it('that needs more memory than allowed is refused before it takes it', () => {
    const { name, bytes } = modelFile('basket-blue');

    expect(refusalOf(() => parseModel(name, bytes, { maxBytes: bytes.length - 1 })).reason).toBe('ArtifactTooLarge');
  });
});

function refusalOf(action: () => unknown): ModelError {
  try {
    action();
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
