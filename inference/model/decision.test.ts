import { describe, expect, it } from 'vitest';
import { compileDecision } from './decision.ts';
import { parseManifest } from './manifest.ts';
import type { ClassLabel } from './model-data.ts';

const EXPRESSIONS = { features: ['a'], preprocessing: { a: 'body.a' } };

/** The decision of a classifier with these classes and this metadata.json. */
function decisionOf(metadata: object, classes: readonly ClassLabel[], predictProba = true) {
  const manifest = parseManifest(Buffer.from(JSON.stringify({ ...EXPRESSIONS, ...metadata })));
  const method = { predictProba: (rows: Float64Array) => rows };
  return compileDecision(manifest, { classes, modelType: 'Forest', ...(predictProba && method) });
}

describe('labels', () => {
  it.each<[string, unknown, readonly ClassLabel[], readonly ClassLabel[]]>([
    ['none', undefined, [0, 1], [0, 1]],
    ['an empty list', [], [0, 1], [0, 1]],
    ['the classes themselves', [0, 1], [0, 1], [0, 1]],
    ['a list', ['stays', 'leaves'], [0, 1], ['stays', 'leaves']],
    ['some by their class', { 1: 'leaves' }, [0, 1], [0, 'leaves']],
    ['by text', { no: 'stays', yes: true }, ['no', 'yes'], ['stays', true]],
    ['by true and false', { true: 'yes', false: 'no' }, [false, true], ['no', 'yes']],
    ['a class of a strange name', { constructor: 'x' }, ['toString', 'constructor'], ['toString', 'x']],
  ])('%s', (_, labels, classes, expected) => {
    expect(decisionOf({ labels }, classes).labels).toEqual(expected);
  });

  it('are written as JSON once', () => {
    expect(decisionOf({ labels: ['a "b"', 2.5] }, [0, 1]).json).toEqual([
      { value: '"a \\"b\\""', key: '"a \\"b\\"":' },
      { value: '2.5', key: '"2.5":' },
    ]);
  });
});

describe('thresholds', () => {
  const abc = ['a', 'b', 'c'];
  it.each<[string, unknown, readonly ClassLabel[], readonly number[], number]>([
    ['none: the likeliest', undefined, abc, [0.2, 0.5, 0.3], 1],
    ['none: the first of equals', undefined, abc, [0.4, 0.2, 0.4], 0],
    ['a number that is reached', 0.3, [0, 1], [0.7, 0.3], 1],
    ['a number that is not', 0.3, [0, 1], [0.71, 0.29], 0],
    ['a high number', 0.9, [0, 1], [0.2, 0.8], 0],
    ['0: always', 0, [0, 1], [1, 0], 1],
    ['a label that reaches its own', { b: 0.2 }, abc, [0.7, 0.2, 0.1], 1],
    ['a label that does not: the likeliest of the others', { b: 0.9 }, abc, [0.1, 0.7, 0.2], 2],
    ['two that reach theirs: the likelier', { b: 0.1, c: 0.1 }, abc, [0.5, 0.2, 0.3], 2],
    ['all of them, none reached: the likeliest', { a: 0.9, b: 0.9, c: 0.9 }, abc, [0.2, 0.5, 0.3], 1],
  ])('%s', (_, thresholds, classes, probabilities, expected) => {
    expect(decisionOf({ thresholds }, classes).choose(Float64Array.from(probabilities))).toBe(expected);
  });

  it('go by label, where there are labels', () => {
    const { choose } = decisionOf({ labels: ['stays', 'leaves'], thresholds: { leaves: 0.2 } }, [0, 1]);

    expect(choose(Float64Array.of(0.75, 0.25))).toBe(1);
  });
});

describe('an artifact is refused for', () => {
  it.each<[string, object, readonly ClassLabel[], string]>([
    ['labels of another number', { labels: ['a'] }, [0, 1], 'labels: there are 1, Forest has 2 classes'],
    ['labels of a regressor', { labels: ['a'] }, [], 'labels: there are 1, Forest has 0 classes'],
    ['a label of no class', { labels: { 2: 'a' } }, [0, 1], 'labels.2: Forest has the classes 0, 1'],
    ['one label for two', { labels: ['a', 'a'] }, [0, 1], 'labels: two classes are called "a"'],
    ['labels that read alike', { labels: [1, '1'] }, [0, 1], 'labels: two classes are called "1"'],
    ['a label that is a list', { labels: [['a'], 'b'] }, [0, 1], 'labels: must be a list of texts'],
    ['labels that are text', { labels: 'a' }, [0, 1], 'labels: must be a list of texts'],
    ['a threshold above 1', { thresholds: 1.5 }, [0, 1], 'thresholds: Too big: expected number to be <=1'],
    ['a negative threshold', { thresholds: { 0: -1 } }, [0, 1], 'thresholds: must be a number from 0 to 1'],
    ['one number for three', { thresholds: 0.5 }, [0, 1, 2], 'thresholds: one number is for two classes'],
    ['a threshold of no label', { thresholds: { x: 0.5 } }, [0, 1], 'thresholds.x: the labels are 0, 1'],
    [
      'thresholds of a basket',
      { preprocessing: 'basket', thresholds: 0.5 },
      [0, 1],
      'thresholds: a basket is answered',
    ],
  ])('%s', (_, metadata, classes, message) => {
    const refused = expect.objectContaining({ reason: 'ArtifactInvalid' }) as Error;
    expect(() => decisionOf(metadata, classes)).toThrow(refused);
    expect(() => decisionOf(metadata, classes)).toThrow(`metadata.json is not usable: ${message}`);
  });

  it('thresholds where there are no probabilities', () => {
    expect(() => decisionOf({ thresholds: 0.5 }, [0, 1], false)).toThrow('thresholds: Forest gives no probabilities');
  });
});
