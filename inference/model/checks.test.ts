import { describe, expect, it } from 'vitest';
import { indexOfMax } from '../estimators/matrix.ts';
import { checkCompatible, checkFeatures, checkGolden, checkModelHash } from './checks.ts';
import { parseManifest } from './manifest.ts';
import type { Model } from './model.ts';

/** Answers its first number as the probability of the second class. */
function aModel(overrides: Partial<Model> = {}): Model {
  return {
    modelType: 'RandomForestClassifier',
    task: 'classifier',
    features: 2,
    texts: new Map(),
    classes: ['no', 'yes'],
    bytes: 0,
    predict: (rows) => Float64Array.of(rows[0]! > 0.5 ? 1 : 0),
    predictProba: (rows) => Float64Array.of(1 - rows[0]!, rows[0]!),
    ...overrides,
  };
}

/** A model that gives no probabilities. */
function withoutProba(overrides: Partial<Model> = {}): Model {
  const model = aModel(overrides);
  return Object.fromEntries(Object.entries(model).filter(([name]) => name !== 'predictProba')) as unknown as Model;
}

const aManifest = (fields: object) => parseManifest(Buffer.from(JSON.stringify(fields)));
const aSchema = { features: ['a', 'b'], width: 2, classes: [0, 1], outputs: ['classifier', 'predict'] };

describe('metadata.json', () => {
  it('has the defaults of the Python service', () => {
    expect(parseManifest(undefined)).toMatchObject({
      version: '1.0.0',
      model_type: 'RandomForestClassifier',
      features: ['total_items', 'total_value', 'avg_item_value', 'category_ratio'],
      metrics: {},
    });
    expect(aManifest({})).toMatchObject({ version: '1.0.0', features: [], metrics: {} });
  });

  it('may hold what Python writes: NaN among the metrics, unknown fields, a number as version', () => {
    expect(parseManifest(Buffer.from('{"version": 2, "metrics": {"auc": NaN}, "author": "x"}'))).toMatchObject({
      version: '2',
      metrics: { auc: NaN },
    });
  });

  it.each(['{', '[]', '{"features": "a"}', '{"version": {}}', '{"golden": {"inputs": []}}', '\xff'])(
    'is refused when it is %s',
    (text) => {
      expect(() => parseManifest(Buffer.from(text, 'latin1'))).toThrow(/metadata.json is not usable/);
    },
  );

  it('is refused by name when it is no object', () => {
    expect(() => parseManifest(Buffer.from('[]'))).toThrow(/^metadata.json is not usable: Invalid input/);
  });

  it('must fit the model', () => {
    expect(() => checkFeatures(aManifest({ features: ['a'] }), aModel())).toThrow(
      /lists 1 features, the model takes 2/,
    );
    expect(() => checkFeatures(aManifest({ features: ['a', 'b'] }), aModel({ featureNames: ['a', 'c'] }))).toThrow(
      /feature 2 is "b" in metadata.json and "c" in the model/,
    );
    expect(() =>
      checkFeatures(aManifest({ features: ['a', 'b'] }), aModel({ featureNames: ['a', 'b'] })),
    ).not.toThrow();
    expect(() => checkFeatures(aManifest({}), aModel())).not.toThrow();
  });

  it('may give the hash of the model file', () => {
    const manifest = aManifest({ sha256: 'AB'.repeat(32) });

    expect(() => checkModelHash(manifest, 'ab'.repeat(32))).not.toThrow();
    expect(() => checkModelHash(manifest, 'cd'.repeat(32))).toThrow(
      expect.objectContaining({ reason: 'ChecksumMismatch' }),
    );
  });
});

describe('golden rows', () => {
  it.each([
    ['probabilities', { inputs: [[0.25, 0]], outputs: [[0.75, 0.25]] }],
    ['probabilities within the tolerance', { inputs: [[0.25, 0]], outputs: [[0.7500001, 0.2499999]], tolerance: 1e-6 }],
    [
      'labels',
      {
        inputs: [
          [0.25, 0],
          [0.75, 0],
        ],
        outputs: ['no', 'yes'],
      },
    ],
  ])('are accepted as %s', async (_, golden) => {
    await expect(checkGolden(aManifest({ golden }).golden, aModel())).resolves.toBeUndefined();
  });

  it.each([
    [
      'another probability',
      { inputs: [[0.25, 0]], outputs: [[0.75, 0.2500001]] },
      /row 1, class 2: expected 0.2500001, the model says 0.25/,
    ],
    ['another label', { inputs: [[0.25, 0]], outputs: ['yes'] }, /row 1 should be "yes", the model says "no"/],
    ['too few classes', { inputs: [[0.25, 0]], outputs: [[1]] }, /has 1 probabilities, the model has 2 classes/],
    [
      'too few outputs',
      {
        inputs: [
          [0.25, 0],
          [0, 0],
        ],
        outputs: ['no'],
      },
      /2 inputs and 1 outputs/,
    ],
    ['rows of another width', { inputs: [[0.25]], outputs: ['no'] }, /input 1 has 1 numbers, the model takes 2/],
  ])('with %s are a mismatch', async (_, golden, message) => {
    await expect(checkGolden(aManifest({ golden }).golden, aModel())).rejects.toMatchObject({
      reason: 'GoldenMismatch',
      message: expect.stringMatching(message) as string,
    });
  });

  it('of a table hold texts and missing values, as clients send them', async () => {
    const seen: number[][] = [];
    const table = aModel({
      texts: new Map([[1, new Map([['Oslo', 4]])]]),
      predict: (row) => Float64Array.of(seen.push([...row]) * 0),
    });
    const inputs = [
      [1, 'Oslo'],
      [true, 'Rome'],
      [null, null],
    ];

    await checkGolden(aManifest({ golden: { inputs, outputs: ['no', 'no', 'no'] } }).golden, table);

    expect(seen).toEqual([
      [1, 4],
      [1, -1],
      [NaN, NaN],
    ]);
    await expect(
      checkGolden(aManifest({ golden: { inputs: [[1, 2]], outputs: ['no'] } }).golden, table),
    ).rejects.toThrow('input 1 has 2 where the model takes text');
    await expect(
      checkGolden(aManifest({ golden: { inputs: [['1', 'Oslo']], outputs: ['no'] } }).golden, table),
    ).rejects.toThrow('input 1 has "1" where the model takes a number');
  });

  it('of a regressor are numbers within the tolerance', async () => {
    const rest = withoutProba({
      task: 'regressor',
      classes: [],
      predict: () => Float64Array.of(1.5),
    });
    const goldenOf = (output: number) =>
      aManifest({ golden: { inputs: [[0, 0]], outputs: [output], tolerance: 0.1 } }).golden;

    await checkGolden(goldenOf(1.45), rest);
    await expect(checkGolden(goldenOf(1.7), rest)).rejects.toThrow(/row 1 should be 1.7, the model says 1.5/);
  });

  it('of probabilities are a mismatch for a model without', async () => {
    const rest = withoutProba();

    await expect(
      checkGolden(aManifest({ golden: { inputs: [[0, 0]], outputs: [[1, 0]] } }).golden, rest),
    ).rejects.toThrow(/RandomForestClassifier has none: give the prediction alone/);
  });

  it('are a mismatch when the model answers NaN', async () => {
    const golden = { inputs: [[0, 0]], outputs: [[1, 0]], tolerance: 1 };

    await expect(
      checkGolden(aManifest({ golden }).golden, aModel({ predictProba: () => Float64Array.of(NaN, 0) })),
    ).rejects.toThrow();
  });
});

describe('a successor', () => {
  it.each([
    [{ width: 3 }, /takes 3 features, the active model takes 2/],
    [{ features: ['b', 'a'] }, /^Feature 1 is "b", in the active model it is "a"/],
    [{ classes: [0, 1, 2] }, /^Class 3 is 2, in the active model it is nothing/],
    [{ classes: ['0', '1'] }, /^Class 1 is "0", in the active model it is 0/],
    [
      { outputs: ['regressor', 'predict'] },
      /answers with regressor, predict, the active model with classifier, predict/,
    ],
  ])('with %j is refused', (change, message) => {
    expect(() => checkCompatible({ ...aSchema, ...change }, aSchema)).toThrow(
      expect.objectContaining({ reason: 'SchemaIncompatible', message: expect.stringMatching(message) as string }),
    );
  });

  it('with the same features and classes is accepted', () => {
    expect(() => checkCompatible({ ...aSchema }, aSchema)).not.toThrow();
  });
});

it('takes the first of equal maxima, as numpy does', () => {
  expect([indexOfMax(Float64Array.of(0.2, 0.4, 0.4)), indexOfMax(Float64Array.of(9, 1, 2, 2), 1, 4)]).toEqual([1, 1]);
});
