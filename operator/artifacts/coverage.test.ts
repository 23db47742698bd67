import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonFolder, compareKeys, justBefore, planCalls } from './coverage.ts';

const all = () => true;

describe('planCalls', () => {
  it('asks for one key by HEAD, and for two of a folder by one List', () => {
    expect(planCalls(['a/b'], all)).toEqual([{ kind: 'head', key: 'a/b' }]);
    expect(planCalls(['a/c', 'a/b'], all)).toEqual([{ kind: 'list', prefix: 'a/', keys: ['a/b', 'a/c'] }]);
  });

  it('goes one folder down where a List is of no use', () => {
    const keys = ['m/x/1', 'm/x/2', 'm/y/1', 'm/z'];

    expect(planCalls(keys, (prefix) => prefix !== 'm/')).toEqual([
      { kind: 'list', prefix: 'm/x/', keys: ['m/x/1', 'm/x/2'] },
      { kind: 'head', key: 'm/y/1' },
      { kind: 'head', key: 'm/z' },
    ]);
  });

  it('ends with one HEAD a key when nothing can be listed, folder markers included', () => {
    const keys = ['a/', 'a/b', 'a/b/', 'a/b/c', 'd'];

    const calls = planCalls(keys, () => false);

    expect(calls.map((call) => (call.kind === 'head' ? call.key : 'list')).toSorted()).toEqual(keys.toSorted());
  });

  it('covers every key exactly once, whatever can be listed', () => {
    const key = fc
      .array(fc.constantFrom('a', 'b', 'é', ''), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(key), fc.func(fc.boolean()), (keys, canList) => {
        const calls = planCalls(keys, canList);
        const covered = calls.flatMap((call) => (call.kind === 'head' ? [call.key] : call.keys));
        expect(covered.toSorted()).toEqual(keys.toSorted());
        for (const call of calls) {
          if (call.kind === 'list') expect(call.keys.every((listed) => listed.startsWith(call.prefix))).toBe(true);
        }
      }),
    );
  });
});

it.each([
  [['a/b/1', 'a/b/2'], 'a/b/'],
  [['a/bc', 'a/bd'], 'a/'],
  [['a', 'b'], ''],
  [['a/b', 'a/b/c'], 'a/'],
])('the common folder of %o is %o', (keys, expected) => {
  expect(commonFolder(keys)).toBe(expected);
});

it('sorts keys as S3 does, by their bytes', () => {
  const emoji = String.fromCodePoint(0x1f600);
  const fullWidth = String.fromCodePoint(0xff00);

  expect(emoji < fullWidth).toBe(true);
  expect(compareKeys(emoji, fullWidth)).toBeGreaterThan(0);
});

it('a List that starts just before a key has it on its first page', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), (key) => {
      fc.pre(key.isWellFormed());
      expect(compareKeys(justBefore(key), key)).toBeLessThan(0);
    }),
  );
  expect(justBefore('models/500/model.tar.gz')).toBe('models/500/model.tar.gy~');
});
