// Reads UBJSON, draft 12 (https://ubjson.org): big-endian numbers, each value behind a letter that tells its type. XGBoost saves `.ubj` in it.
import { type ByteReader, damaged } from './byte-reader.ts';
import type { Allowance, Json, Numbers } from './document.ts';

interface NumberType {
  readonly size: number;
  readonly read: (view: DataView, at: number) => number;
  /** Of a list: it takes no more than the numbers in the file. */
  readonly list: (length: number) => Numbers;
}

const NUMBERS: ReadonlyMap<string, NumberType> = new Map<string, NumberType>([
  ['i', { size: 1, read: (view, at) => view.getInt8(at), list: (length) => new Int8Array(length) }],
  ['U', { size: 1, read: (view, at) => view.getUint8(at), list: (length) => new Uint8Array(length) }],
  ['I', { size: 2, read: (view, at) => view.getInt16(at), list: (length) => new Int16Array(length) }],
  ['l', { size: 4, read: (view, at) => view.getInt32(at), list: (length) => new Int32Array(length) }],
  ['L', { size: 8, read: (view, at) => Number(view.getBigInt64(at)), list: (length) => new Float64Array(length) }],
  ['d', { size: 4, read: (view, at) => view.getFloat32(at), list: (length) => new Float32Array(length) }],
  ['D', { size: 8, read: (view, at) => view.getFloat64(at), list: (length) => new Float64Array(length) }],
]);
const LENGTHS = ['i', 'U', 'I', 'l', 'L'];

interface Source {
  readonly reader: ByteReader;
  readonly allowance: Allowance;
}

/** The one value of a document. Throws ModelError. */
export function readUbjson(reader: ByteReader, allowance: Allowance): Json {
  const source = { reader, allowance };
  const value = readValue(source, letter(reader));
  if (reader.offset < reader.bytes.length) throw damaged(reader.offset, 'something after the end of the UBJSON');
  return value;
}

/** A letter; N means nothing and is left out. */
function letter(reader: ByteReader): string {
  let found = String.fromCharCode(reader.u8());
  while (found === 'N') found = String.fromCharCode(reader.u8());
  return found;
}

function next(reader: ByteReader): string {
  return String.fromCharCode(reader.bytes[reader.offset] ?? 0);
}

function readValue(source: Source, type: string): Json {
  const { reader } = source;
  const number = NUMBERS.get(type);
  if (number !== undefined) return number.read(viewOf(reader.take(number.size)), 0);
  switch (type) {
    case '{':
      return readObject(source);
    case '[':
      return readList(source);
    case 'S':
      return readText(reader);
    case 'C':
      return String.fromCharCode(reader.u8());
    case 'T':
      return true;
    case 'F':
      return false;
    case 'Z':
      return null;
    default:
      throw damaged(reader.offset, `0x${type.charCodeAt(0).toString(16)} is not a type of UBJSON`);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** A length; `least` bytes follow for each of what it counts. */
function readLength(reader: ByteReader, least: number): number {
  const type = letter(reader);
  const number = NUMBERS.get(type);
  if (number === undefined || !LENGTHS.includes(type)) throw damaged(reader.offset, 'a length that is no integer');
  const length = number.read(viewOf(reader.take(number.size)), 0);
  const left = reader.bytes.length - reader.offset;
  if (length >= 0 && length * least <= left) return length;
  throw damaged(reader.offset, `${length} values are announced and ${left} bytes are left`);
}

function readText(reader: ByteReader): string {
  return reader.utf8(readLength(reader, 1));
}

/** `$type#length`, `#length`, or neither: then the values go on up to an end mark. */
function readHead({ reader }: Source): { readonly type?: string; readonly length?: number } {
  if (next(reader) === '$') {
    reader.offset += 1;
    const type = String.fromCharCode(reader.u8());
    if (next(reader) !== '#') throw damaged(reader.offset, 'a type without a length');
    reader.offset += 1;
    // values that take no bytes could be as many as one likes
    if ('TFZN'.includes(type)) throw damaged(reader.offset, 'a list of values without content');
    return { type, length: readLength(reader, NUMBERS.get(type)?.size ?? 1) };
  }
  if (next(reader) !== '#') return {};
  reader.offset += 1;
  return { length: readLength(reader, 1) };
}

function readList(source: Source): Json {
  const { allowance } = source;
  allowance.enter();
  const { type, length } = readHead(source);
  const number = type === undefined ? undefined : NUMBERS.get(type);
  const found = number === undefined ? readItems(source, type, length) : readNumbers(source, number, length ?? 0);
  allowance.leave();
  return found;
}

function readNumbers({ reader, allowance }: Source, { size, read, list }: NumberType, length: number): Numbers {
  allowance.items(length / 2);
  const view = viewOf(reader.take(length * size));
  const numbers = list(length);
  for (let at = 0; at < length; at += 1) numbers[at] = read(view, at * size);
  return numbers;
}

function readItems(source: Source, type: string | undefined, length: number | undefined): Json {
  const { reader, allowance } = source;
  const items: Json[] = [];
  while (length === undefined || items.length < length) {
    const itemType = type ?? letter(reader);
    if (length === undefined && itemType === ']') break;
    allowance.items(1);
    items.push(readValue(source, itemType));
  }
  return items.every((item) => typeof item === 'number') ? Float64Array.from(items) : items;
}

function readObject(source: Source): Json {
  const { reader, allowance } = source;
  const members = new Map<string, Json>();
  allowance.enter();
  const { type, length } = readHead(source);
  for (let count = 0; length === undefined ? next(reader) !== '}' : count < length; count += 1) {
    allowance.items(2);
    const key = readText(reader);
    members.set(key, readValue(source, type ?? letter(reader)));
  }
  if (length === undefined) reader.offset += 1;
  allowance.leave();
  return members;
}
