// numpy's pickled types, arrays and scalars, read from the inert records that the pickle machine leaves.
import { shown } from './byte-reader.ts';
import { ModelError } from '../model/errors.ts';
import { type Dtype, Instance, NdArray, Tuple, type Value, described } from './pickle-value.ts';

const MAX_DIMENSIONS = 8;
/** Room for class labels of 16,384 characters. */
const MAX_ITEM_BYTES = 2 ** 16;
const KINDS = /^([iufbUOV])(\d*)$/;

/** The file is well-formed but does not hold what a model holds. */
export function notAModel(what: string): ModelError {
  return new ModelError('LoadFailed', `${what}; the file is damaged or was not written by scikit-learn`);
}

/** Reads the record that numpy.dtype's reduce leaves. Throws ModelError. */
export function dtypeOf(value: Value | undefined): Dtype {
  const { kind, itemSize, state } = plainDtype(value);
  return kind === 'V' ? { kind, itemSize, fields: fieldsOf(state[4], itemSize) } : { kind, itemSize };
}

interface PlainDtype extends Dtype {
  /** (version, byte order, subarray, names, fields, item size, alignment, flags) */
  readonly state: readonly Value[];
}

function plainDtype(value: Value | undefined): PlainDtype {
  if (!(value instanceof Instance) || value.callable.role !== 'dtype' || !(value.state instanceof Tuple)) {
    throw notAModel(`${described(value)} instead of a dtype`);
  }
  const [name] = value.args;
  const state = value.state.items;
  const [, kind, digits] = (typeof name === 'string' ? KINDS.exec(name) : null) ?? [];
  if (kind === undefined) {
    throw new ModelError('UnsupportedModel', `an array of dtype ${typeof name === 'string' ? shown(name) : '?'}`);
  }
  if (state[1] === '>') {
    throw new ModelError('UnsupportedModel', 'written on a big-endian machine; save it again on x86-64 or arm64');
  }
  const itemSize = itemSizeOf(kind, digits ?? '', intOf(state[5]));
  if (!(itemSize > 0 && itemSize <= MAX_ITEM_BYTES)) throw notAModel(`a dtype of ${itemSize} bytes`);
  return { kind, itemSize, state };
}

/** Text and records state their size; for the others the state says -1 and the name has it. */
function itemSizeOf(kind: string, digits: string, stated: number): number {
  if (kind === 'O') return 8;
  return stated > 0 ? stated : Number(digits);
}

function fieldsOf(value: Value | undefined, itemSize: number): NonNullable<Dtype['fields']> {
  if (!(value instanceof Map)) throw notAModel('a record without fields');
  const fields = new Map<string, { dtype: Dtype; offset: number }>();
  for (const [name, place] of value) {
    if (typeof name !== 'string' || !(place instanceof Tuple)) throw notAModel('a record with a broken field');
    const { kind, itemSize: size } = plainDtype(place.items[0]);
    const offset = intOf(place.items[1]);
    if (offset < 0 || offset + size > itemSize) throw notAModel('a record with a field outside of it');
    fields.set(name, { dtype: { kind, itemSize: size }, offset });
  }
  return fields;
}

/** Makes an array after checking that the shape and the data agree. Throws ModelError. */
export function arrayFrom(dtype: Dtype, shape: readonly number[], fortran: boolean, data: Value): NdArray {
  const count = elements(shape);
  if (dtype.kind === 'O') {
    if (!Array.isArray(data) || data.length !== count) throw notAModel('an array of objects with a wrong length');
    return new NdArray(dtype, shape, fortran, data);
  }
  const bytes = bytesOf(data);
  if (bytes.length !== count * dtype.itemSize) {
    throw notAModel(`an array of ${count} elements of ${dtype.itemSize} bytes with ${bytes.length} bytes of data`);
  }
  return new NdArray(dtype, shape, fortran, bytes);
}

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** A tuple of lengths. */
export function shapeOf(value: Value | undefined): readonly number[] {
  if (!(value instanceof Tuple) || value.items.length > MAX_DIMENSIONS) throw notAModel('an array without a shape');
  const shape = value.items.map((length) => intOf(length));
  if (shape.some((length) => length < 0)) throw notAModel('an array of negative size');
  return shape;
}

/** The array behind a value: as joblib left it, or by one of numpy's two reduces. Throws ModelError. */
export function arrayOf(value: Value | undefined): NdArray {
  if (value instanceof NdArray) return value;
  if (value instanceof Instance && value.callable.role === 'reconstruct' && value.state instanceof Tuple) {
    const [, shape, dtype, fortran, data] = value.state.items;
    return arrayFrom(dtypeOf(dtype), shapeOf(shape), fortran === true, data ?? null);
  }
  if (value instanceof Instance && value.callable.role === 'fromBuffer') {
    const [data, dtype, shape, order] = value.args;
    if (order !== 'C' && order !== 'F') throw new ModelError('UnsupportedModel', 'an array that is not contiguous');
    return arrayFrom(dtypeOf(dtype), shapeOf(shape), order === 'F', data ?? null);
  }
  throw notAModel(`${described(value)} instead of an array`);
}

/** Bytes as they are, or as protocols 0 to 2 write them: text to be encoded as latin-1. */
function bytesOf(value: Value | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof Instance && value.callable.role === 'encode') {
    const [text, encoding] = value.args;
    if (typeof text === 'string' && encoding === 'latin1') return Buffer.from(text, 'latin1');
  }
  throw notAModel(`${described(value)} instead of bytes`);
}

/** A Python int, or a numpy integer scalar. Throws ModelError for everything else, also beyond 2^53. */
export function intOf(value: Value | undefined): number {
  const number = value instanceof Instance ? scalarOf(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    throw notAModel(`${described(value)} instead of an integer`);
  }
  return number;
}

/** A Python number, bool, or numpy scalar. Throws ModelError. */
export function numberOf(value: Value | undefined): number {
  const number = value instanceof Instance ? scalarOf(value) : value;
  if (typeof number === 'boolean') return Number(number);
  if (typeof number === 'number') return number;
  throw notAModel(`${described(value)} instead of a number`);
}

/** The numbers of an array as doubles, row-major whatever their order in the file: a copy. Throws ModelError. */
export function floatsOf(array: NdArray): Float64Array<ArrayBuffer> {
  const { data, dtype, shape, fortran } = array;
  const read = NUMBER_READERS[dtype.kind];
  if (!(data instanceof Uint8Array) || read === undefined) throw notAModel(`numbers of dtype ${dtype.kind}`);
  const view = viewOf(data);
  const numbers = new Float64Array(elements(shape));
  for (let at = 0; at < numbers.length; at += 1) {
    const number = read(view, at * dtype.itemSize, dtype.itemSize);
    if (number === undefined)
      throw new ModelError('UnsupportedModel', `numbers of dtype ${dtype.kind}${dtype.itemSize}`);
    numbers[at] = number;
  }
  return fortran && shape.length > 1 ? rowMajor(numbers, shape) : numbers;
}

/** From column-major order. */
function rowMajor(numbers: Float64Array, shape: readonly number[]): Float64Array<ArrayBuffer> {
  const ordered = new Float64Array(numbers.length);
  const place = shape.map(() => 0);
  for (const number of numbers) {
    ordered[place.reduce((offset, index, axis) => offset * (shape[axis] ?? 1) + index, 0)] = number;
    for (let axis = 0; axis < shape.length; axis += 1) {
      place[axis] = (place[axis] ?? 0) + 1;
      if ((place[axis] ?? 0) < (shape[axis] ?? 0)) break;
      place[axis] = 0;
    }
  }
  return ordered;
}

function scalarOf(value: Instance): number | boolean | string {
  if (value.callable.role !== 'scalar') throw notAModel(`${described(value)} instead of a number`);
  const [dtype, data] = value.args;
  return elementsOf(arrayFrom(dtypeOf(dtype), [], false, data ?? null))[0] ?? 0;
}

type Element = number | boolean | string;
type ElementReader = (view: DataView, at: number, size: number) => Element | undefined;

type NumberReader = (view: DataView, at: number, size: number) => number | undefined;

const NUMBER_READERS: Readonly<Record<string, NumberReader>> = {
  b: (view, at) => view.getUint8(at),
  i: signed,
  u: unsigned,
  f: (view, at, size) => (size === 8 ? view.getFloat64(at, true) : size === 4 ? view.getFloat32(at, true) : undefined),
};

const READERS: Readonly<Record<string, ElementReader>> = {
  ...NUMBER_READERS,
  b: (view, at) => view.getUint8(at) !== 0,
  U: fixedText,
};

function signed(view: DataView, at: number, size: number): number | undefined {
  if (size === 1) return view.getInt8(at);
  if (size === 2) return view.getInt16(at, true);
  if (size === 4) return view.getInt32(at, true);
  return size === 8 ? Number(view.getBigInt64(at, true)) : undefined;
}

function unsigned(view: DataView, at: number, size: number): number | undefined {
  if (size === 1) return view.getUint8(at);
  if (size === 2) return view.getUint16(at, true);
  if (size === 4) return view.getUint32(at, true);
  return size === 8 ? Number(view.getBigUint64(at, true)) : undefined;
}

/** UCS-4 code points, padded with zeros at the end. */
function fixedText(view: DataView, at: number, size: number): string {
  const points: number[] = [];
  for (let place = 0; place + 4 <= size; place += 4) points.push(view.getUint32(at + place, true));
  while (points.at(-1) === 0) points.pop();
  if (points.some((point) => point > 0x10ffff)) throw notAModel('text that is not Unicode');
  return String.fromCodePoint(...points);
}

/** The elements of a small array as plain values: numbers, booleans or text. Throws ModelError. */
export function elementsOf(array: NdArray): Element[] {
  if (!(array.data instanceof Uint8Array)) return array.data.map(elementOf);
  const { kind, itemSize } = array.dtype;
  const view = viewOf(array.data);
  const made: Element[] = [];
  for (let at = 0; at < view.byteLength; at += itemSize) {
    const element = READERS[kind]?.(view, at, itemSize);
    if (element === undefined) throw new ModelError('UnsupportedModel', `elements of dtype ${kind}${itemSize}`);
    made.push(element);
  }
  return made;
}

/** A Python or numpy scalar as a plain value. Throws ModelError. */
export function elementOf(value: Value): Element {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Instance) return scalarOf(value);
  throw new ModelError('UnsupportedModel', `${described(value)} where text or a number is needed`);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
