import { describe, expect, it } from 'vitest';
import { pickle, stackGlobal, text } from '../../test/support/a-pickle.ts';
import type { ModelError } from '../model/errors.ts';
import { allowedNames } from '../estimators/registry.ts';
import { readJoblib } from './joblib.ts';
import { elementsOf } from './numpy.ts';
import { NdArray } from './pickle-value.ts';

const BINARY = '\x80\x04';
const ONE_BYTE_INTEGERS = `${stackGlobal('numpy', 'dtype')}${text('u1')}\x89\x88\x87R(K\x03${text('|')}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb`;
const THREE = 'K\x03\x85';

interface WrapperParts {
  readonly alignment?: string;
  readonly shape?: string;
  readonly dtype?: string;
  readonly order?: string;
  readonly data: string;
}

/** An array of three bytes as joblib writes it; without `alignment` as joblib 1.1 and older did. */
function wrapped({ alignment, shape = THREE, dtype = ONE_BYTE_INTEGERS, order = 'C', data }: WrapperParts): Uint8Array {
  const aligned = alignment === undefined ? '' : `${text('numpy_array_alignment_bytes')}${alignment}`;
  const state = `}(${text('dtype')}${dtype}${text('shape')}${shape}${text('order')}${text(order)}${aligned}u`;
  return pickle(BINARY, stackGlobal('joblib.numpy_pickle', 'NumpyArrayWrapper'), `)\x81${state}b`, data, '.');
}

function arrayIn(file: Uint8Array): unknown {
  const value = readJoblib(file, allowedNames, 1e6);
  return value instanceof NdArray ? elementsOf(value) : value;
}

describe('arrays inside of a joblib file', () => {
  it.each([
    ['with padding (joblib 1.2 and newer)', wrapped({ alignment: 'K\x10', data: '\x02\xff\xff\x01\x02\x03' })],
    ['with a padding of nothing', wrapped({ alignment: 'K\x10', data: '\x00\x01\x02\x03' })],
    ['written to a pipe: no alignment', wrapped({ alignment: 'N', data: '\x01\x02\x03' })],
    ['without padding (joblib 1.1 and older)', wrapped({ data: '\x01\x02\x03' })],
  ])('are read %s', (_, file) => {
    expect(arrayIn(file)).toEqual([1, 2, 3]);
  });

  it.each([
    ['C', false],
    ['F', true],
  ])('keep their order: %s', (order, fortran) => {
    expect(readJoblib(wrapped({ order, data: '\x01\x02\x03' }), allowedNames, 1e6)).toMatchObject({ fortran });
  });

  it.each([
    ['more padding than there is', wrapped({ alignment: 'K\x10', data: '\xff\x01\x02\x03' })],
    ['more elements than there are', wrapped({ shape: 'K\xff\x85', data: '\x01\x02\x03' })],
    ['2^248 elements', wrapped({ shape: `(${'\x8a\x04\x00\x00\x00\x40'.repeat(8)}t`, data: '\x01\x02\x03' })],
    ['a negative number of elements', wrapped({ shape: 'J\xff\xff\xff\xff\x85', data: '\x01\x02\x03' })],
    ['nine dimensions', wrapped({ shape: `(${'K\x01'.repeat(9)}t`, data: '\x01' })],
    ['no shape', wrapped({ shape: 'N', data: '\x01\x02\x03' })],
    ['no type', wrapped({ dtype: 'N', data: '\x01\x02\x03' })],
  ])('are refused with %s', (_, file) => {
    expect(() => arrayIn(file)).toThrow(expect.objectContaining({ reason: 'LoadFailed' }) as ModelError);
  });
});
