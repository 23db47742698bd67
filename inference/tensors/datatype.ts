// The datatypes of tensors in the Open Inference Protocol: what a value may be, and how it lies in binary data (little-endian). Pure.
import { HttpError } from '../errors.ts';

/** Values of a tensor, row-major: numbers (0 and 1 for BOOL), or the texts of BYTES, null where one is missing. */
export type Elements = Float64Array | readonly (string | null)[];

interface NumericType {
  /** Bytes of one value. */
  readonly size: number;
  /** Integers: the smallest value, and the first that is too large. */
  readonly range?: readonly [from: number, below: number];
  readonly read: (view: DataView, at: number) => number;
  readonly write: (view: DataView, at: number, value: number) => void;
}

const NUMERIC = {
  BOOL: { size: 1, read: (v, at) => (v.getUint8(at) === 0 ? 0 : 1), write: (v, at, x) => v.setUint8(at, x) },
  UINT8: { size: 1, range: [0, 2 ** 8], read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x) },
  UINT16: {
    size: 2,
    range: [0, 2 ** 16],
    read: (v, at) => v.getUint16(at, true),
    write: (v, at, x) => v.setUint16(at, x, true),
  },
  UINT32: {
    size: 4,
    range: [0, 2 ** 32],
    read: (v, at) => v.getUint32(at, true),
    write: (v, at, x) => v.setUint32(at, x, true),
  },
  UINT64: {
    size: 8,
    range: [0, 2 ** 64],
    read: (v, at) => Number(v.getBigUint64(at, true)),
    write: (v, at, x) => v.setBigUint64(at, BigInt(x), true),
  },
  INT8: { size: 1, range: [-(2 ** 7), 2 ** 7], read: (v, at) => v.getInt8(at), write: (v, at, x) => v.setInt8(at, x) },
  INT16: {
    size: 2,
    range: [-(2 ** 15), 2 ** 15],
    read: (v, at) => v.getInt16(at, true),
    write: (v, at, x) => v.setInt16(at, x, true),
  },
  INT32: {
    size: 4,
    range: [-(2 ** 31), 2 ** 31],
    read: (v, at) => v.getInt32(at, true),
    write: (v, at, x) => v.setInt32(at, x, true),
  },
  INT64: {
    size: 8,
    range: [-(2 ** 63), 2 ** 63],
    read: (v, at) => Number(v.getBigInt64(at, true)),
    write: (v, at, x) => v.setBigInt64(at, BigInt(x), true),
  },
  FP16: { size: 2, read: (v, at) => v.getFloat16(at, true), write: (v, at, x) => v.setFloat16(at, x, true) },
  FP32: { size: 4, read: (v, at) => v.getFloat32(at, true), write: (v, at, x) => v.setFloat32(at, x, true) },
  FP64: { size: 8, read: (v, at) => v.getFloat64(at, true), write: (v, at, x) => v.setFloat64(at, x, true) },
} as const satisfies Record<string, NumericType>;

export type NumericDatatype = keyof typeof NUMERIC;
export type Datatype = NumericDatatype | 'BYTES';
export const DATATYPES: readonly string[] = [...Object.keys(NUMERIC), 'BYTES'];

const LENGTH_BYTES = 4;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Throws HttpError 400. */
export function datatypeOf(name: unknown): Datatype {
  if (typeof name === 'string' && DATATYPES.includes(name)) return name as Datatype;
  throw new HttpError(400, `the datatype must be one of ${DATATYPES.join(', ')}`);
}

/** A value that came as JSON; null is a missing one. Throws HttpError 400. */
export function numberOfJson(value: unknown, datatype: NumericDatatype): number {
  if (datatype === 'BOOL') {
    if (typeof value === 'boolean') return value ? 1 : 0;
    throw new HttpError(400, 'data of BOOL must hold true and false only');
  }
  if (typeof value === 'number') return checkedNumber(value, datatype);
  if (value === null && datatype.startsWith('FP')) return NaN;
  throw new HttpError(400, 'data must hold numbers only');
}

/** The number as the datatype has it. Throws HttpError 400 for one that it cannot hold. */
export function checkedNumber(value: number, datatype: NumericDatatype): number {
  const { range }: NumericType = NUMERIC[datatype];
  if (range !== undefined && !(Number.isInteger(value) && value >= range[0] && value < range[1])) {
    throw new HttpError(400, `${value} is no ${datatype}`);
  }
  if (datatype === 'FP32') return Math.fround(value);
  return datatype === 'FP16' ? Math.f16round(value) : value;
}

/** A text of BYTES. Throws HttpError 400. */
export function textOfJson(value: unknown): string | null {
  if (typeof value === 'string' || value === null) return value;
  throw new HttpError(400, 'data of BYTES must hold texts only');
}

/** UTF-8 to text. Throws HttpError 400. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new HttpError(400, 'data of BYTES must be UTF-8', { cause });
  }
}

/** `count` values that came as binary data. Throws HttpError 400. */
export function readBinary(bytes: Uint8Array, datatype: Datatype, count: number): Elements {
  if (datatype === 'BYTES') return readTexts(bytes, count);
  const { size, read }: NumericType = NUMERIC[datatype];
  if (bytes.length !== count * size) {
    throw new HttpError(400, `${bytes.length} bytes of data are not ${count} values of ${datatype}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const numbers = new Float64Array(count);
  for (let at = 0; at < count; at += 1) numbers[at] = read(view, at * size);
  return numbers;
}

/** Each text comes after its length. */
function readTexts(bytes: Uint8Array, count: number): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts: string[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length && texts.length < count) {
    const start = at + LENGTH_BYTES;
    at = start + view.getUint32(at, true);
    if (at <= bytes.length) texts.push(textOfBytes(bytes.subarray(start, at)));
  }
  if (texts.length === count && at === bytes.length) return texts;
  throw new HttpError(400, `${bytes.length} bytes of data are not ${count} values of BYTES`);
}

/** The values as binary data. */
export function writeBinary(
  data: Float64Array | readonly (string | number | boolean)[],
  datatype: Datatype,
): Uint8Array {
  if (datatype === 'BYTES') return writeTexts(Array.from<unknown>(data).map(String));
  const { size, write }: NumericType = NUMERIC[datatype];
  const view = new DataView(new ArrayBuffer(data.length * size));
  for (let at = 0; at < data.length; at += 1) write(view, at * size, Number(data[at]));
  return new Uint8Array(view.buffer);
}

function writeTexts(texts: readonly string[]): Uint8Array {
  const encoded = texts.map((text) => encoder.encode(text));
  const view = new DataView(new ArrayBuffer(encoded.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0)));
  const bytes = new Uint8Array(view.buffer);
  let at = 0;
  for (const text of encoded) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + LENGTH_BYTES);
    at += LENGTH_BYTES + text.length;
  }
  return bytes;
}
