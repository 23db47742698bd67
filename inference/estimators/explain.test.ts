// Contributions are those of the shap package, and add up to the answer.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { goldenCase, goldenCases, modelOfCase, rowsOfCase } from '../../test/support/estimator-fixtures.ts';
import type { Model } from '../model/model.ts';
import { Explainer } from './explain.ts';
import type { ForestPart } from './forest.ts';
import type { PipelinePart } from './pipeline.ts';
import { compilePredictor } from './registry.ts';
import type { ScalerPart } from './scalers.ts';
import { TreesBuilder } from './trees.ts';

type Cell = number | null;

interface Golden {
  readonly inputs: readonly (readonly Cell[])[];
  readonly tolerance: number;
  readonly expected: readonly number[];
  /** By row, feature and output. */
  readonly contributions: readonly (readonly (readonly number[])[])[];
}

const FOLDER = new URL('../../test/fixtures/contributions/', import.meta.url);
const cases = readdirSync(FOLDER).flatMap((file) => {
  const found = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { cases: Readonly<Record<string, Golden>> };
  return Object.entries(found.cases);
});

function explained(explainer: Explainer | undefined, rows: Float64Array, count: number): Float64Array {
  const explaining = explainer?.begin(rows, count);
  while (explaining?.advance() === false);
  return explaining?.values ?? new Float64Array();
}

function largestOf(numbers: readonly number[]): number {
  return numbers.reduce((largest, number) => Math.max(largest, Math.abs(number)), 0);
}

function farthest(found: Iterable<number>, expected: readonly number[]): number {
  const differences = [...found].map((number, at) => number - (expected[at] ?? NaN));
  return differences.some(Number.isNaN) ? NaN : largestOf(differences);
}

describe.each(cases)('%s', (name, { inputs, tolerance, expected, contributions }) => {
  const model = modelOfCase(goldenCase(name));
  const wanted = contributions.flat(2);
  const allowed = tolerance * largestOf([...wanted, ...expected]);

  it('has the contributions that shap finds', () => {
    const rows = Float64Array.from(inputs.flat(), (cell) => cell ?? NaN);
    const found = explained(model.explainer, rows, inputs.length);

    expect(found).toHaveLength(wanted.length);
    expect(farthest(found, wanted)).toBeLessThanOrEqual(allowed);
  });

  it('expects what shap expects', () => {
    expect(farthest(model.explainer?.expected ?? [], expected)).toBeLessThanOrEqual(allowed);
  });
});

/** The numbers that are explained, as the model answers them. */
function answersOf(model: Model, rows: Float64Array, count: number): Float64Array {
  if (model.explainer?.output === 'probability') return model.predictProba?.(rows, count) ?? new Float64Array();
  const answers = model.decisionFunction?.(rows, count) ?? model.predict(rows, count);
  const isOfLogarithms = model.decisionFunction === undefined && model.explainer?.output === 'margin';
  return isOfLogarithms ? answers.map(Math.log) : answers;
}

const own = goldenCases().filter(({ library, inputs }) => library === 'scikit-learn' && inputs.length > 0);
const explainable = own.flatMap((golden) => {
  const model = modelOfCase(golden);
  return model.explainer === undefined ? [] : [{ name: golden.name, golden, model, explainer: model.explainer }];
});

/** x1 <= 0.5 ? 3 : 7, of as many rows each. */
function stump(weight: readonly number[]): ForestPart {
  const builder = new TreesBuilder({ trees: 1, nodes: 3, leafWidth: 1, outputs: 1 });
  builder.add(
    {
      count: 3,
      left: Int32Array.of(1, -1, -1),
      right: Int32Array.of(2, -1, -1),
      feature: Int32Array.of(1, -1, -1),
      threshold: Float64Array.of(0.5, 0, 0),
      weight: Float64Array.from(weight),
    },
    (node, values, at) => (values[at] = node === 1 ? 3 : 7),
  );
  const trees = builder.built;
  const task = 'regressor';
  return { kind: 'forest', modelType: 'DecisionTreeRegressor', task, classes: [], trees, acceptsMissing: false };
}

describe('explanations', () => {
  it('of a pipeline of scalers are about its own columns', () => {
    const halves: ScalerPart = {
      kind: 'scaler',
      modelType: 'StandardScaler',
      outputs: 2,
      dividedBy: Float64Array.of(2, 2),
    };
    const [last, task] = [stump([4, 2, 2]), 'regressor' as const];
    const part: PipelinePart = { kind: 'pipeline', modelType: 'Pipeline', task, classes: [], steps: [halves], last };
    const { treeSum } = compilePredictor(part);
    const explainer = treeSum && new Explainer(treeSum, 2);

    expect([...(explainer?.expected ?? [])]).toEqual([5]);
    // half of 0.9 goes left, half of 1.1 right
    expect([...explained(explainer, Float64Array.of(9, 0.9, 9, 1.1), 2)]).toEqual([0, -2, 0, 2]);
  });

  it.each([
    ['0 everywhere', [0, 0, 0]],
    ['of children that do not add up', [4, 1, 1]],
    ['below 0', [1, 2, -1]],
    ['that are no numbers', [NaN, 1, 1]],
  ])('are refused with weights %s', (_, weight) => {
    const { treeSum } = compilePredictor(stump(weight));
    const explainer = treeSum && new Explainer(treeSum, 2);

    expect(() => explainer?.begin(Float64Array.of(0, 0), 1)).toThrow(/does not say how many training rows/);
  });

  it.each(explainable)('of $name add up to its answers', ({ golden, model, explainer }) => {
    const rows = rowsOfCase(golden, model);
    const count = golden.inputs.length;
    const { outputs, expected } = explainer;
    const contributions = explained(explainer, rows, count);
    const sums = Array.from({ length: count }, () => [...expected]).flat();
    for (const [at, value] of contributions.entries()) {
      const place = Math.floor(at / (model.features * outputs)) * outputs + (at % outputs);
      sums[place] = (sums[place] ?? NaN) + value;
    }
    const answers = [...answersOf(model, rows, count)];
    expect(sums).toHaveLength(answers.length);
    expect(farthest(sums, answers)).toBeLessThanOrEqual(1e-12 * Math.max(1, largestOf(answers)));
  });

  it.each([
    'RandomForestClassifier/1.3.2',
    'GradientBoostingClassifier-multiclass/1.9.1',
    'HistGradientBoostingClassifier-categorical/1.9.1',
    'HistGradientBoostingClassifier-multiclass/1.9.1',
  ])('are among them for %s', (name) => {
    expect(explainable.map((found) => found.name)).toContain(name);
  });

  it.each([
    'Pipeline+PCA/1.9.1',
    'CalibratedClassifierCV-temperature-forest/1.9.1',
    'LogisticRegression/1.9.1',
    // it starts from the answers of another estimator
    'GradientBoostingRegressor+DecisionTreeRegressor/1.9.1',
  ])('are none for %s', (name) => {
    expect(modelOfCase(goldenCase(name)).explainer).toBeUndefined();
  });

  it('of too many rows are refused, with the number that is allowed', () => {
    const { explainer, features } = modelOfCase(goldenCase('RandomForestClassifier/1.9.1'));

    expect(() => explainer?.begin(new Float64Array(1e6 * features), 1e6)).toThrow(/At most \d+ rows/);
  });
});
