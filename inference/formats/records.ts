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

/** A column of integers of 32 or 64 bits. Throws ModelError where one is beyond 2^31. */
export function integers(records: Records, name: string): Int32Array<ArrayBuffer> {
  const { offset, type } = placeOf(records, name, ['i8', 'i4', 'u4']);
  const column = words(records, offset);
  if (type === 'i8' && !isSignOf(column, words(records, offset + 4))) throw notAModel('a node number beyond 2^31');
  if (type === 'u4' && column.some((number) => number < 0)) throw notAModel('a node number beyond 2^31');
  return column;
}

/** The 32 bits at an offset of each record. */
function words({ view, count, dtype }: Records, offset: number): Int32Array<ArrayBuffer> {
  const column = new Int32Array(count);
  const step = dtype.itemSize;
  for (let row = 0; row < count; row += 1) column[row] = view.getInt32(row * step + offset, true);
  return column;
}

/** Whether the upper halves of 64-bit integers only repeat the sign of the lower ones. */
function isSignOf(low: Int32Array, high: Int32Array): boolean {
  for (let row = 0; row < low.length; row += 1) if (high[row] !== (low[row] ?? 0) >> 31) return false;
  return true;
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
