// Columns of an array of records, read by the offsets that the file declares: they differ between versions of a library.
import { ModelError } from '../model/errors.ts';
import { notAModel, viewOf } from './numpy.ts';
import type { Dtype, NdArray } from './pickle-value.ts';

export interface Records {
  readonly view: DataView;
  readonly count: number;
  readonly dtype: Dtype;
}

/** An array of one dimension whose elements have fields. Throws ModelError. */
export function recordsOf({ data, dtype, shape }: NdArray): Records {
  const [count] = shape;
  if (!(data instanceof Uint8Array) || dtype.fields === undefined || shape.length !== 1 || count === undefined) {
    throw notAModel('nodes that are not records');
  }
  return { view: viewOf(data), count, dtype };
}

/** Offset of a field that has to be of one of these types. */
function placeOf({ dtype }: Records, name: string, types: readonly string[]): { offset: number; type: string } {
  const field = dtype.fields?.get(name);
  if (field === undefined) throw notAModel(`nodes without ${name}`);
  const type = `${field.dtype.kind}${field.dtype.itemSize}`;
  if (!types.includes(type)) throw new ModelError('UnsupportedModel', `${name} of type ${type}`);
  return { offset: field.offset, type };
}

/** A column of integers of 32 or 64 bits, in `column`, which has a place for each. Throws ModelError where one is beyond 2^31. */
export function integers(
  records: Records,
  name: string,
  column = new Int32Array(records.count),
): Int32Array<ArrayBuffer> {
  const { offset, type } = placeOf(records, name, ['i8', 'i4', 'u4']);
  const excess = type === 'i8' ? lowHalves(records, offset, column) : halves(records, offset, column);
  if (excess !== 0 && type !== 'i4') throw notAModel('a node number beyond 2^31');
  return column;
}

/** Integers of 64 bits; answers 0 when the upper halves only repeat the sign. */
function lowHalves({ view, dtype }: Records, offset: number, column: Int32Array): number {
  const step = dtype.itemSize;
  let excess = 0;
  for (let row = 0, at = offset; row < column.length; row += 1, at += step) {
    const low = view.getInt32(at, true);
    excess |= view.getInt32(at + 4, true) ^ (low >> 31);
    column[row] = low;
  }
  return excess;
}

/** Integers of 32 bits; answers 0 when none has the highest bit. */
function halves({ view, dtype }: Records, offset: number, column: Int32Array): number {
  const step = dtype.itemSize;
  let excess = 0;
  for (let row = 0, at = offset; row < column.length; row += 1, at += step) {
    const number = view.getInt32(at, true);
    excess |= number >> 31;
    column[row] = number;
  }
  return excess;
}

/** A column of doubles. */
export function floats(
  records: Records,
  name: string,
  column = new Float64Array(records.count),
): Float64Array<ArrayBuffer> {
  const { offset } = placeOf(records, name, ['f8']);
  const { view, dtype } = records;
  const step = dtype.itemSize;
  for (let row = 0, at = offset; row < column.length; row += 1, at += step) column[row] = view.getFloat64(at, true);
  return column;
}

/** A column of bytes. */
export function flags(records: Records, name: string, column = new Uint8Array(records.count)): Uint8Array<ArrayBuffer> {
  const { offset } = placeOf(records, name, ['u1', 'b1']);
  const { view, dtype } = records;
  const step = dtype.itemSize;
  for (let row = 0, at = offset; row < column.length; row += 1, at += step) column[row] = view.getUint8(at);
  return column;
}
