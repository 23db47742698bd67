import { describe, expect, it } from 'vitest';
import { ModelError } from '../model/errors.ts';
import { Allowance } from './document.ts';
import { readLightgbmText } from './lightgbm-text.ts';

const TREE = ['Tree=0', 'num_leaves=2', 'threshold=0.5', 'leaf_value=1e-3 -inf', ''];
const LINES = [
  'tree',
  'version=v4',
  'objective=binary sigmoid:1',
  '',
  ...TREE,
  'end of trees',
  '',
  'parameters:',
  '[x: 1]',
  'end of parameters',
  '',
];

function read(lines: readonly string[], lineEnd = '\n') {
  return readLightgbmText(lines.join(lineEnd), new Allowance(2 ** 20));
}

describe('LightGBM text', () => {
  it.each(['\n', '\r\n'])('is read line by line, whatever ends a line: %j', (lineEnd) => {
    const { header, trees } = read(LINES, lineEnd);

    expect(header.text('objective')).toBe('binary sigmoid:1');
    expect(trees[0]?.integer('num_leaves', 1, 9)).toBe(2);
    expect(trees[0]?.numbers('leaf_value')).toEqual(Float64Array.of(1e-3, -Infinity));
  });

  it('has the categories of the table at its end', () => {
    const { pandasCategorical } = read([...LINES, 'pandas_categorical:[["a", "\\u1ec7"], [1, 2]]']);

    expect(pandasCategorical).toEqual([['a', 'ệ'], Float64Array.of(1, 2)]);
  });

  it('may have none', () => {
    expect(read(LINES).pandasCategorical).toBeNull();
    expect(read([...LINES, 'pandas_categorical:null']).pandasCategorical).toBeNull();
  });

  it.each([
    ['another first line', ['trees', ...LINES.slice(1)]],
    ['no version', LINES.filter((line) => !line.startsWith('version'))],
    ['a version of its own', LINES.map((line) => line.replace('v4', 'v2'))],
    ['a key twice', LINES.map((line) => line.replace('objective', 'version'))],
    ['a tree out of order', LINES.map((line) => line.replace('Tree=0', 'Tree=1'))],
    ['no end of its trees', LINES.filter((line) => line !== 'end of trees')],
    ['no end of its parameters', LINES.filter((line) => line !== 'end of parameters')],
    ['categories that are no JSON', [...LINES, 'pandas_categorical:[[']],
  ])('is refused with %s', (_, lines) => {
    expect(() => read(lines)).toThrow(ModelError);
  });

  it('ends at an amount of memory', () => {
    const long = `threshold=${'1 '.repeat(2 ** 19)}`;

    expect(() => read(LINES.map((line) => (line.startsWith('threshold') ? long : line)))).toThrow(/take more than/);
  });
});
