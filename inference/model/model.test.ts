import { describe, expect, it } from 'vitest';
import { spliced } from '../../test/support/a-pickle.ts';
import { archived, goldenModels, goldenOf, modelFile, rowsOf } from '../../test/support/model-fixtures.ts';
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

/** How many of the numbers are not the same double. */
function differences(found: Float64Array, expected: readonly number[]): number {
  return expected.filter((value, at) => !Object.is(value, found[at])).length + Math.abs(expected.length - found.length);
}

describe('a model file that scikit-learn wrote', () => {
  it('is checked in for every version of scikit-learn that is claimed', () => {
    const versions = new Set(goldenModels().map((name) => goldenOf(name).sklearn));

    expect([...versions].sort()).toEqual(['1.2.2', '1.3.2', '1.4.2', '1.5.2', '1.6.1', '1.7.2', '1.8.0', '1.9.1']);
  });

  it.each(goldenModels())('%s answers a batch bit for bit as scikit-learn does', (fixture) => {
    const golden = goldenOf(fixture);

    const found = loaded(fixture).predictProba(rowsOf(golden), golden.inputs.length);

    expect(differences(found, golden.predict_proba.flat())).toBe(0);
  });

  it.each(goldenModels())('%s answers row by row what it answers in a batch', (fixture) => {
    const golden = goldenOf(fixture);
    const model = loaded(fixture);

    const different = golden.inputs.filter((input, at) => {
      const row = Float64Array.from(input, (value) => value ?? NaN);
      return differences(model.predictProba(row, 1), golden.predict_proba[at] ?? []) > 0;
    });

    expect(different).toEqual([]);
  });

  it.each(goldenModels())('%s has the classes, labels and width that scikit-learn names', (fixture) => {
    const golden = goldenOf(fixture);
    const model = loaded(fixture);

    const labels = golden.predict_proba.map((row) => model.classes[row.indexOf(Math.max(...row))]);

    expect(model.classes).toEqual(golden.classes);
    expect(model.features).toBe(golden.n_features);
    expect(labels).toEqual(golden.predict);
  });

  it('keeps the column names of the table that it was fitted on', () => {
    const metadata = JSON.parse(Buffer.from(archived('basket-blue', 'metadata.json')).toString()) as {
      features: string[];
    };

    expect(loaded('basket-blue').featureNames).toEqual(metadata.features);
    expect(loaded('iris-new').featureNames).toBeUndefined();
  });

  it('says which scikit-learn wrote it, and its class', () => {
    expect(dataOf('basket-blue')).toMatchObject({ writtenBy: '1.3.2', modelType: 'RandomForestClassifier' });
  });

  it('can be handed to another thread without a copy', () => {
    const golden = goldenOf('iris-missing');
    const data = dataOf('iris-missing');

    const moved = structuredClone(data, { transfer: transferables(data) });

    expect(data.trees.values.length).toBe(0);
    expect(
      differences(modelOf(moved).predictProba(rowsOf(golden), golden.inputs.length), golden.predict_proba.flat()),
    ).toBe(0);
  });

  it('counts the memory of its arrays', () => {
    const data = dataOf('basket-blue');

    expect(modelOf(data).bytes).toBe(
      data.trees.feature.length * 25 + data.trees.roots.length * 4 + data.trees.values.length * 8,
    );
  });
});

describe('rows that scikit-learn refuses', () => {
  const before14 = ['iris-sk122', 'iris-sk132'];
  const from14 = ['iris-sk142', 'iris-new', 'iris-bare'];

  it.each(before14)('NaN, when the forest is of scikit-learn 1.3 or older (%s)', (fixture) => {
    expect(() => loaded(fixture).predictProba(Float64Array.of(1, 2, NaN, 4), 1)).toThrow(
      new ModelInputError('Input X contains NaN.'),
    );
  });

  it.each(from14)('not NaN, when it is of 1.4 or newer (%s)', (fixture) => {
    const [sum] = [
      loaded(fixture)
        .predictProba(Float64Array.of(1, 2, NaN, 4), 1)
        .reduce((a, b) => a + b),
    ];

    expect(sum).toBeCloseTo(1, 12);
  });

  it('NaN, when it has monotonic constraints and is older than 1.9', () => {
    const { name, bytes } = modelFile('iris-bare');
    const older = modelOf(parseModel(name, spliced(bytes, '1.9.1', '1.8.1'), limits));

    expect(() => older.predictProba(Float64Array.of(1, 2, NaN, 4), 1)).toThrow(ModelInputError);
  });

  it.each([Infinity, -Infinity, 1e39, -3.5e38])('%s, which is infinite as float32', (value) => {
    expect(() => loaded('iris-new').predictProba(Float64Array.of(1, 2, 3, value), 1)).toThrow(
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
    expect(() => loaded('iris-new').predictProba(new Float64Array(length), count)).toThrow(ModelInputError);
  });

  it('but no rows at all are answered by nothing', () => {
    expect(loaded('iris-new').predictProba(new Float64Array(0), 0)).toEqual(new Float64Array(0));
  });
});

describe('a file that is not a model', () => {
  it.each([
    [
      'refused-pipeline',
      'UnsupportedModel',
      /sklearn\.pipeline\.Pipeline .*save the fitted RandomForestClassifier itself/,
    ],
    ['refused-outputs', 'UnsupportedModel', /several outputs: train one model per output/],
    ['refused-unfitted', 'UnsupportedModel', /not fitted: call fit/],
    ['refused-dict', 'UnsupportedModel', /holds a dict: save the fitted RandomForestClassifier itself/],
    ['refused-bz2', 'UnsupportedModel', /bz2.*compress=\('zlib', 3\)/],
    ['refused-xz', 'UnsupportedModel', /xz.*compress=\('zlib', 3\)/],
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
