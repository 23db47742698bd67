import { describe, expect, it } from 'vitest';
import { UsageError } from './command-line.ts';
import { PARTS, selectParts } from './selection.ts';

const FILES = [
  'operator/plan.ts',
  'operator/plan.test.ts',
  'inference/app.component.test.ts',
  'test/x/plan.cluster.ts',
];

describe('selectParts', () => {
  it('is everything when nothing is asked for', () => {
    expect(selectParts([], [], FILES)).toEqual(PARTS);
  });

  it('keeps the order of the parts', () => {
    expect(selectParts(['cluster', 'unit'], [], FILES)).toEqual(['unit', 'cluster']);
  });

  it('runs, for a filter, the parts alone that have such a file', () => {
    expect(selectParts([], ['plan'], FILES)).toEqual(['unit', 'cluster']);
    expect(selectParts(['unit'], ['plan'], FILES)).toEqual(['unit']);
  });

  it('takes a component test for no unit test', () => {
    expect(selectParts([], ['app'], FILES)).toEqual(['component']);
  });

  it('refuses a filter that is in no path', () => {
    expect(() => selectParts([], ['nope'], FILES)).toThrow(UsageError);
    expect(() => selectParts(['api'], ['plan'], FILES)).toThrow('No test file of api has "plan" in its path.');
  });
});
