import { describe, expect, it } from 'vitest';
import { ModelError } from '../model/errors.ts';
import { ByteReader } from './byte-reader.ts';
import { Allowance, type Json } from './document.ts';
import { readJson } from './json.ts';

function read(text: string, maxBytes = 2 ** 20): Json {
  return readJson(new ByteReader(new TextEncoder().encode(text)), new Allowance(maxBytes));
}

/** As JSON.parse gives it. */
function plain(value: Json): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member as Json)]));
  if (value instanceof Float64Array) return [...value];
  return Array.isArray(value) ? (value as readonly Json[]).map(plain) : value;
}

describe('JSON', () => {
  it.each([
    '{}',
    '[]',
    ' { "a" : [ 1 , -2.5e3 , 0.1E-2 ] , "b" : { "c" : null } } ',
    '[true,false,null,"x",[],{}]',
    '["", "\\"", "\\\\", "a\\\\\\"b", "\\u1ec7 \\n", "tiếng Việt"]',
    '"alone"',
    '-0.5',
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
  ])('is read as JSON.parse reads it: %s', (text) => {
    expect(plain(read(text))).toEqual(JSON.parse(text));
  });

  it('may hold NaN and infinity, which XGBoost writes', () => {
    expect(read('[NaN,1.5E0,Infinity,-Infinity]')).toEqual(Float64Array.of(NaN, 1.5, Infinity, -Infinity));
  });

  it('gives numbers of any length the double that JSON.parse gives them', () => {
    const texts = [
      '0',
      '-0',
      '7',
      '123456789012345',
      '1234567890123456',
      '0.1',
      '-1.8656437E0',
      '1e-45',
      '1E22',
      '1E23',
      '3.4028235E38',
    ];
    const more = ['5e-324', '0.30000000000000004', '1.7976931348623157e308', '123.456e-7', '9007199254740993', '1e-22'];
    const all = [...texts, ...more];

    expect(read(`[${all.join(',')}]`)).toEqual(Float64Array.from(all, Number));
    expect(all.map((text) => read(` ${text} `))).toEqual(all.map(Number));
  });

  it.each(['[01]', '[1.]', '[.5]', '[1e]', '[1e+]', '[-]', '[--1]', '[1.5.2]', '[1,,2]', '[1;2]'])(
    'refuses in a list what is no number: %s',
    (text) => {
      expect(() => read(text)).toThrow(ModelError);
    },
  );

  it('gives lists of numbers alone as arrays of doubles', () => {
    expect(read('[1,2]')).toBeInstanceOf(Float64Array);
    expect(read('[1,"2"]')).toEqual([1, '2']);
  });

  it.each([
    '',
    '   ',
    '{',
    '[1,]',
    '[1 2]',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '"open',
    '"\\x"',
    '01',
    '1.',
    '.5',
    '+1',
    '0x10',
    '1e',
    'nul',
    'undefined',
    '[1]]',
    '{} {}',
    '1'.repeat(100),
    '[1]\0',
  ])('is refused when it is none: %j', (text) => {
    expect(() => read(text)).toThrow(ModelError);
  });

  it('ends at a depth, and at an amount of memory', () => {
    expect(() => read('['.repeat(100_000))).toThrow(/nested/);
    expect(() => read(`[${'{},'.repeat(50_000)}{}]`)).toThrow(/its values take more than/);
  });
});
