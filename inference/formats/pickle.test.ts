import { describe, expect, it } from 'vitest';
import { global, pickle, stackGlobal, text, uint } from '../../test/support/a-pickle.ts';
import { allowedNames } from '../estimators/registry.ts';
import { ByteReader } from './byte-reader.ts';
import { arrayOf, elementsOf, intOf } from './numpy.ts';
import { Tuple, type Value } from './pickle-value.ts';
import { readPickle } from './pickle.ts';

function read(source: string): Value {
  return readPickle({
    estimators: allowedNames,
    reader: new ByteReader(pickle(source)),
    afterBuild: (built) => built,
    opcodes: 0,
    nested: 0,
  });
}

const tuple = (...items: Value[]): Tuple => new Tuple(items);

describe('a pickle', () => {
  it.each<[string, string, Value]>([
    ['None', 'N.', null],
    ['True', '\x88.', true],
    ['False', '\x89.', false],
    ['True, protocol 0', 'I01\n.', true],
    ['an int, protocol 0', 'I-42\n.', -42],
    ['a long, protocol 0', 'L-7L\n.', -7],
    ['an integer of one byte', 'K\xff.', 255],
    ['of two', 'M\x01\x02.', 513],
    ['of four, negative', 'J\xfe\xff\xff\xff.', -2],
    ['of any length, positive', '\x8a\x02\xff\x00.', 255],
    ['of any length, negative', '\x8a\x01\xff.', -1],
    ['of no length', '\x8a\x00.', 0],
    ['beyond 2^53', '\x8a\x08\x01\x00\x00\x00\x00\x00\x00\x40.', 2n ** 62n + 1n],
    ['a float', 'G\x3f\xf8\x00\x00\x00\x00\x00\x00.', 1.5],
    ['a float, protocol 0', 'F-1.25e-3\n.', -0.00125],
    ['infinity, protocol 0', 'F-inf\n.', -Infinity],
    ['text', `${text('gr\xc3\xbcn')}.`, 'grün'],
    ['text that starts with a byte order mark', `${text('\xef\xbb\xbfa')}.`, '\ufeffa'],
    ['text, protocol 0', 'Va\\u20ac\\U0001f600\\u005cn\xe9\n.', 'a€😀\\né'],
    ['a tuple', 'K\x01K\x02K\x03\x87.', tuple(1, 2, 3)],
    ['a marked tuple', '(K\x01(K\x02tt.', tuple(1, tuple(2))],
    ['a list', '](K\x01K\x02eK\x03a.', [1, 2, 3]],
    ['a list, protocol 0', '(K\x01l.', [1]],
    [
      'a dict',
      '}(K\x01NK\x02\x88uK\x03\x89s.',
      new Map<Value, Value>([
        [1, null],
        [2, true],
        [3, false],
      ]),
    ],
    ['a dict, protocol 0', '(K\x01Nd.', new Map<Value, Value>([[1, null]])],
    ['a set', '\x8f(K\x01K\x02\x90.', new Set<Value>([1, 2])],
    ['a frozen set', '(K\x01\x91.', new Set<Value>([1])],
    ['a thing said twice', 'K\x07q\x05\x85h\x05\x86.', tuple(tuple(7), 7)],
    ['a thing said twice, protocol 0', 'K\x07p12\n\x85g12\n\x86.', tuple(tuple(7), 7)],
    ['memo by order', 'K\x07\x94K\x08\x94h\x00\x87.', tuple(7, 8, 7)],
    ['things thrown away', 'K\x01K\x020(K\x03K\x041.', 1],
    ['a copy of the top', 'K\x012\x86.', tuple(1, 1)],
    ['a frame around it', `\x80\x04\x95${uint(2, 8)}N.`, null],
  ])('%s', (_, source, expected) => {
    expect(read(source)).toEqual(expected);
  });

  it('NaN', () => {
    expect(read('G\x7f\xf8\x00\x00\x00\x00\x00\x00.')).toBeNaN();
    expect(read('Fnan\n.')).toBeNaN();
  });

  it.each([
    ['text that is not UTF-8', `${text('\xff')}.`],
    ['a float that is none', 'F1.2.3\n.'],
    ['an int that is none', 'Iabc\n.'],
    ['a dict with half a pair', '(K\x01d.'],
    ['an item for a number', 'K\x01K\x02a.'],
    ['items for a list', ']K\x01K\x02s.'],
    ['members for a list', '](K\x01\x90.'],
    ['state for a number', 'K\x01Nb.'],
    ['an unknown opcode', '\xff.'],
    ['the null opcode', '\x00.'],
    ['a name that is a number', 'K\x01K\x02\x93.'],
    ['a line without an end', 'I1'],
    ['no end', 'K\x01'],
    ['nothing', ''],
  ])('with %s is refused', (_, source) => {
    expect(() => read(source)).toThrow(expect.objectContaining({ reason: 'LoadFailed' }) as Error);
  });
});

describe('numpy in a pickle', () => {
  const dtype = (name: string, size = -1, order = '<'): string => {
    const stated = Buffer.alloc(4);
    stated.writeInt32LE(size);
    const state = `(K\x03${text(order)}NNNJ${stated.toString('latin1')}J\xff\xff\xff\xffK\x00tb`;
    return `${stackGlobal('numpy', 'dtype')}${text(name)}\x89\x88\x87R${state}`;
  };
  const array = (type: string, data: string, shape = 'K\x02\x85'): string =>
    `${stackGlobal('numpy.core.multiarray', '_reconstruct')})R(K\x01${shape}${type}\x89${data}tb.`;
  const bytes = (data: string): string => `C${String.fromCharCode(data.length)}${data}`;

  it.each([
    ['i1', '\xff\x01', [-1, 1]],
    ['u2', '\xff\xff\x01\x00', [65535, 1]],
    ['i8', '\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x00\x00\x00', [-1, 2]],
    ['f4', '\x00\x00\x80\x3f\x00\x00\x00\x40', [1, 2]],
    ['b1', '\x00\x01', [false, true]],
  ])('%s elements', (name, data, expected) => {
    expect(elementsOf(arrayOf(read(array(dtype(name), bytes(data)))))).toEqual(expected);
  });

  it('text elements, padded with zeros', () => {
    const data = 'a\x00\x00\x00\x00\x00\x00\x00b\x00\x00\x00\xac\x20\x00\x00';

    expect(elementsOf(arrayOf(read(array(dtype('U2', 8), bytes(data)))))).toEqual(['a', 'b€']);
  });

  it('bytes that protocols 0 to 2 wrote as text', () => {
    const encoded = `${global('_codecs', 'encode')}X\x03\x00\x00\x00\x01\xc3\xbf${text('latin1')}\x86R`;

    expect(elementsOf(arrayOf(read(array(dtype('u1'), encoded))))).toEqual([1, 255]);
  });

  it('an integer as a numpy scalar', () => {
    const scalar = `${stackGlobal('numpy._core.multiarray', 'scalar')}${dtype('i2')}${bytes('\xfe\xff')}\x86R.`;

    expect(intOf(read(scalar))).toBe(-2);
  });

  it.each([
    ['dates', array(dtype('M8'), bytes('0123456789abcdef'))],
    ['complex numbers', array(dtype('c8'), bytes('0123456789abcdef'))],
    ['half floats', array(dtype('f2'), bytes('0123'))],
    ['big-endian numbers', array(dtype('u2', -1, '>'), bytes('0123'))],
  ])('refuses %s as not supported', (_, source) => {
    expect(() => elementsOf(arrayOf(read(source)))).toThrow(
      expect.objectContaining({ reason: 'UnsupportedModel' }) as Error,
    );
  });

  it.each([
    ['less data than elements', array(dtype('i8'), bytes('0123'))],
    ['more data than elements', array(dtype('u1'), bytes('0123'))],
    ['text beyond Unicode', array(dtype('U1', 4), bytes('\xff\xff\xff\x7f\xff\xff\xff\x7f'))],
    ['no data', array(dtype('u1'), 'N')],
    ['labels of 65,540 bytes', array(dtype('U16385', 65540), bytes(''), 'K\x00\x85')],
  ])('refuses %s as damaged', (_, source) => {
    expect(() => elementsOf(arrayOf(read(source)))).toThrow(expect.objectContaining({ reason: 'LoadFailed' }) as Error);
  });
});
