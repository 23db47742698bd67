import { describe, expect, it } from 'vitest';
import { compare } from './compare.ts';

const json = (value: unknown) => JSON.stringify(value);
const between = (ours: unknown, theirs: unknown, task: Parameters<typeof compare>[2] = 'classifier') =>
  compare(json(ours), json(theirs), task);
const tensor = (name: string, width: number, data: readonly unknown[]) => ({
  name,
  shape: [data.length / width, width],
  datatype: 'FP64',
  data,
});

describe('answers of /predict', () => {
  it('agree when the prediction is the same, however sure', () => {
    const ours = { sensitivity: 'High', confidence: 0.75, prediction_id: 'a', model_version: '1' };
    const theirs = { sensitivity: 'High', confidence: 0.5, prediction_id: 'b', model_version: '2' };

    expect(between(ours, theirs)).toEqual({ rows: 1, disagreeing: 0, differences: [0.25] });
  });

  it('say nothing of the difference when they are sure of different things', () => {
    const ours = { sensitivity: 'High', confidence: 0.75 };
    const theirs = { sensitivity: 'Low', confidence: 0.5 };

    expect(between(ours, theirs)).toEqual({
      rows: 1,
      disagreeing: 1,
      differences: [],
      first: { row: 0, ours: 'High', theirs: 'Low' },
    });
  });

  it('are compared by all probabilities where they are there, in any order', () => {
    const ours = { prediction: 'yes', confidence: 0.5, probabilities: { yes: 0.5, no: 0.25, maybe: 0.25 } };
    const theirs = { prediction: 'no', confidence: 0.5, probabilities: { no: 0.5, maybe: 0.5, yes: 0 } };

    expect(between(ours, theirs)).toMatchObject({ disagreeing: 1, differences: [0.5], first: { difference: 0.5 } });
  });
});

describe('answers of V1', () => {
  it('are compared row by row', () => {
    expect(between({ predictions: ['a', 'b', 'c', 'd'] }, { predictions: ['a', 'x', 'c', 'y'] })).toEqual({
      rows: 4,
      disagreeing: 2,
      differences: [],
      first: { row: 1, ours: 'b', theirs: 'x' },
    });
  });

  it('of a regressor differ by their values, of which the last bits do not count', () => {
    const comparison = between(
      { predictions: [1, 1000, 3] },
      { predictions: [1 + 1e-12, 1000 + 1e-8, 3.5] },
      'regressor',
    );

    expect(comparison).toMatchObject({
      rows: 3,
      disagreeing: 1,
      first: { row: 2, ours: 3, theirs: 3.5, difference: 0.5 },
    });
    expect(comparison?.differences).toHaveLength(3);
  });

  it('of a classifier with large numbers for labels are not near each other', () => {
    expect(between({ predictions: [1e12] }, { predictions: [1e12 + 1] })).toMatchObject({ disagreeing: 1 });
  });
});

describe('answers of V2', () => {
  it('are compared by labels and probabilities', () => {
    const answer = (labels: readonly string[], scores: readonly number[]) => ({
      outputs: [tensor('predict_proba', 2, scores), tensor('predict', 1, labels)],
    });

    expect(between(answer(['a', 'b'], [0.9, 0.1, 0.25, 0.75]), answer(['a', 'a'], [0.9, 0.1, 0.75, 0.25]))).toEqual({
      rows: 2,
      disagreeing: 1,
      differences: [0, 0.5],
      first: { row: 1, ours: 'b', theirs: 'a', difference: 0.5 },
    });
  });

  it('are compared by the likeliest class where no label was asked for', () => {
    const answer = (...scores: readonly number[]) => ({ outputs: [tensor('predict_proba', 3, scores)] });

    expect(between(answer(0.1, 0.2, 0.7), answer(0.5, 0.2, 0.3))).toMatchObject({
      disagreeing: 1,
      first: { ours: 2, theirs: 0 },
    });
  });

  it('are compared by the side of zero of a decision', () => {
    const answer = (...scores: readonly number[]) => ({ outputs: [tensor('decision_function', 1, scores)] });

    expect(between(answer(-2, 3), answer(-1, -1))).toMatchObject({ rows: 2, disagreeing: 1, differences: [1, 4] });
  });
});

it.each([
  ['another number of rows', { predictions: [1] }, { predictions: [1, 2] }],
  ['another form', { predictions: [1] }, { outputs: [] }],
  ['an error', { predictions: [1] }, { error: 'no' }],
  [
    'a tensor that does not fit its shape',
    { predictions: [1] },
    { outputs: [{ name: 'predict', shape: [1, 0], data: [1] }] },
  ],
])('cannot compare %s', (_, ours, theirs) => {
  expect(between(ours, theirs)).toBeUndefined();
});

it('cannot compare what is no JSON', () => {
  expect(compare('{"predictions":[1]}', '<html>', 'classifier')).toBeUndefined();
});
