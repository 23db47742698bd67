import { describe, expect, it } from 'vitest';
import { pickle as bytes } from '../../test/support/a-pickle.ts';
import { ModelError } from '../model/errors.ts';
import { ByteReader } from './byte-reader.ts';
import { Allowance, type Json } from './document.ts';
import { readUbjson } from './ubjson.ts';

function read(...parts: readonly string[]): Json {
  return readUbjson(new ByteReader(bytes(...parts)), new Allowance(2 ** 20));
}

describe('UBJSON', () => {
  it.each<[string, string, unknown]>([
    ['an int8', 'i\xfe', -2],
    ['a uint8', 'U\xfe', 254],
    ['an int16, the larger byte first', 'I\x01\x02', 258],
    ['an int32', 'l\xff\xff\xff\xff', -1],
    ['an int64', 'L\0\0\0\x01\0\0\0\0', 2 ** 32],
    ['a float32', 'd\x3f\x80\0\0', 1],
    ['a float64', 'D\xc0\x04\0\0\0\0\0\0', -2.5],
    ['a text', 'Si\x05Hu\xe1\xba\xbf', 'Huế'],
    ['a character', 'Ca', 'a'],
    ['true', 'T', true],
    ['false', 'F', false],
    ['null', 'Z', null],
    ['nothing before a value', 'NNT', true],
    ['a list with an end', '[i\x01Ti\x02]', [1, true, 2]],
    ['a list with a length', '[#i\x02Si\x01aSi\x01b', ['a', 'b']],
    ['a list with a type', '[$I#i\x02\x01\x00\x00\x01', Int16Array.of(256, 1)],
    ['a list of texts with a type', '[$S#i\x02i\x01ai\x01b', ['a', 'b']],
    ['an empty list', '[#L\0\0\0\0\0\0\0\0', Float64Array.of()],
    [
      'an object',
      '{i\x01aTi\x01b{}}',
      new Map<string, unknown>([
        ['a', true],
        ['b', new Map()],
      ]),
    ],
    ['an object with a length', '{#i\x01i\x01aT', new Map([['a', true]])],
    ['an object with a type', '{$U#i\x01i\x01a\x07', new Map([['a', 7]])],
  ])('has %s', (_, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    ['nothing', ''],
    ['a type that it does not have', 'x'],
    ['numbers of any size, which nobody writes', 'Hi\x011'],
    ['a number that is cut', 'l\0\0'],
    ['a text that is cut', 'Si\x05ab'],
    ['a text of negative length', 'Si\xff'],
    ['a length that is text', '[#Si\x011'],
    ['a length that is a fraction', '[#d\x3f\x80\0\0T'],
    ['a list without an end', '[TT'],
    ['an object without an end', '{i\x01aT'],
    ['more values than there are bytes', '[#l\x7f\xff\xff\xffT'],
    ['more numbers than there are bytes', '[$L#l\0\0\xff\xff\0'],
    ['a length of 2^62', '[$U#L\x40\0\0\0\0\0\0\0'],
    ['values without content, as many as one likes', '[$T#l\x7f\xff\xff\xff'],
    ['a type without a length', '[$U\x01'],
    ['something after the end', 'TT'],
  ])('is refused with %s', (_, text) => {
    expect(() => read(text)).toThrow(ModelError);
  });

  it('ends at a depth, and at an amount of memory', () => {
    expect(() => read('['.repeat(100_000))).toThrow(/nested/);
    expect(() => read('[', '{}'.repeat(50_000), ']')).toThrow(/its values take more than/);
  });
});
