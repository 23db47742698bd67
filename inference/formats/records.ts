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

/** An integer that has to fit into 32 bits with its sign. */
function integerAt(view: DataView, offset: number, type: string): number {
  const low = view.getInt32(offset, true);
  const fits = type === 'i8' ? view.getInt32(offset + 4, true) === low >> 31 : type === 'i4' || low >= 0;
  if (!fits) throw notAModel('a node number beyond 2^31');
  return low;
}

/** A column of integers of 32 or 64 bits. Throws ModelError where one is beyond 2^31. */
export function integers(records: Records, name: string): Int32Array<ArrayBuffer> {
  const { offset, type } = placeOf(records, name, ['i8', 'i4', 'u4']);
  const column = new Int32Array(records.count);
  const step = records.dtype.itemSize;
  for (let row = 0; row < column.length; row += 1) column[row] = integerAt(records.view, row * step + offset, type);
  return column;
}

/** A column of doubles. */
export function floats(records: Records, name: string): Float64Array<ArrayBuffer> {
  const { offset } = placeOf(records, name, ['f8']);
  const column = new Float64Array(records.count);
  const step = records.dtype.itemSize;
  for (let row = 0; row < column.length; row += 1) column[row] = records.view.getFloat64(row * step + offset, true);
  return column;
}

/** A column of bytes. */
export function flags(records: Records, name: string): Uint8Array<ArrayBuffer> {
  const { offset } = placeOf(records, name, ['u1', 'b1']);
  const column = new Uint8Array(records.count);
  const step = records.dtype.itemSize;
  for (let row = 0; row < column.length; row += 1) column[row] = records.view.getUint8(row * step + offset);
  return column;
}
