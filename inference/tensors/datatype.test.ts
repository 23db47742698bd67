import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError } from '../errors.ts';
import { checkedNumber, datatypeOf, numberOfJson, readBinary, textOfJson, writeBinary } from './datatype.ts';
import type { NumericDatatype } from './datatype.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('binary data', () => {
  // As numpy's tobytes() writes these on a little-endian machine.
  it.each([
    ['BOOL', [1, 0], '0100'],
    ['UINT8', [0, 255], '00ff'],
    ['INT8', [-128, 127], '807f'],
    ['UINT16', [1, 65_535], '0100ffff'],
    ['INT16', [-2, 258], 'feff0201'],
    ['UINT32', [4_294_967_295], 'ffffffff'],
    ['INT32', [-1, 16_909_060], 'ffffffff04030201'],
    ['UINT64', [2 ** 63], '0000000000000080'],
    ['INT64', [-1, 2 ** 40], 'ffffffffffffffff0000000000010000'],
    ['FP16', [1, -2.5], '003c00c1'],
    ['FP32', [0.5, -1], '0000003f000080bf'],
    ['FP64', [0.1], '9a9999999999b93f'],
  ] as const)('of %s is read and written as numpy has it', (datatype, values, hex) => {
    expect(readBinary(bytes(hex), datatype, values.length)).toEqual(Float64Array.from(values));
    expect(Buffer.from(writeBinary(values, datatype)).toString('hex')).toBe(hex);
  });

  it('of BYTES has the length before each text', () => {
    const hex = '01000000610000000002000000c3bc';

    expect(readBinary(bytes(hex), 'BYTES', 3)).toEqual(['a', '', 'ü']);
    expect(Buffer.from(writeBinary(['a', '', 'ü'], 'BYTES')).toString('hex')).toBe(hex);
  });

  it('keeps texts and doubles', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), fc.array(fc.double()), (texts, doubles) => {
        expect(readBinary(writeBinary(texts, 'BYTES'), 'BYTES', texts.length)).toEqual(texts);
        expect(readBinary(writeBinary(doubles, 'FP64'), 'FP64', doubles.length)).toEqual(Float64Array.from(doubles));
      }),
    );
  });

  it.each([
    ['FP64', '00', 1, '1 bytes of data are not 1 values of FP64'],
    ['INT16', '000000', 1, '3 bytes of data are not 1 values of INT16'],
    ['BYTES', '02000000610000', 1, '7 bytes of data are not 1 values of BYTES'],
    ['BYTES', 'ffffffff61', 1, '5 bytes of data are not 1 values of BYTES'],
    ['BYTES', '0100000061', 2, '5 bytes of data are not 2 values of BYTES'],
    ['BYTES', '010000006100', 1, '6 bytes of data are not 1 values of BYTES'],
    ['BYTES', '01000000ff', 1, 'data of BYTES must be UTF-8'],
  ] as const)('of %s is refused when it does not fit: %s', (datatype, hex, count, message) => {
    expect(() => readBinary(bytes(hex), datatype, count)).toThrow(new HttpError(400, message));
  });
});

describe('values in JSON', () => {
  it.each([
    ['INT8', -128],
    ['INT8', 127],
    ['UINT8', 255],
    ['INT16', -32_768],
    ['UINT32', 2 ** 32 - 1],
    ['INT64', -(2 ** 63)],
    ['UINT64', 2 ** 63],
    ['FP64', 0.1],
    ['FP64', -1e300],
  ] as const)('%s takes %d', (datatype, value) => {
    expect(numberOfJson(value, datatype)).toBe(value);
  });

  it.each([
    ['INT8', -129],
    ['INT8', 128],
    ['UINT8', -1],
    ['UINT16', 65_536],
    ['INT32', 2 ** 31],
    ['INT32', 0.5],
    ['INT64', 2 ** 63],
    ['UINT64', 2 ** 64],
    ['UINT64', -1],
    ['FP64', '1'],
    ['FP64', true],
    ['INT32', null],
    ['BOOL', 1],
    ['BOOL', null],
  ] as [NumericDatatype, unknown][])('%s does not take %j', (datatype, value) => {
    expect(() => numberOfJson(value, datatype)).toThrow(HttpError);
  });

  it('rounds to the precision of the datatype, and takes null for a missing number', () => {
    expect(checkedNumber(0.1, 'FP32')).toBe(Math.fround(0.1));
    expect(checkedNumber(0.1, 'FP16')).toBe(0.0999755859375);
    expect(numberOfJson(null, 'FP32')).toBeNaN();
    expect([numberOfJson(true, 'BOOL'), numberOfJson(false, 'BOOL')]).toEqual([1, 0]);
  });

  it('takes texts and null for BYTES', () => {
    expect([textOfJson('a'), textOfJson(null)]).toEqual(['a', null]);
    expect(() => textOfJson(1)).toThrow('texts only');
  });

  it.each(['fp64', 'BF16', '', '__proto__', 5, undefined])('knows no datatype %j', (name) => {
    expect(() => datatypeOf(name)).toThrow(/must be one of BOOL, UINT8/);
  });
});
