// Reads JSON as XGBoost writes it: with NaN and Infinity, which JSON.parse refuses, and lists of numbers as arrays of doubles, which take a fraction of its memory.
import { type ByteReader, damaged } from './byte-reader.ts';
import type { Allowance, Json } from './document.ts';
import { readNumber } from './json-number.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
/** Longest number and word that are looked at. */
const MAX_TOKEN = 64;
const NUMBER = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)$/;
const WORDS: ReadonlyMap<string, number | boolean | null> = new Map<string, number | boolean | null>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', NaN],
  ['nan', NaN],
]);

/** The one value of a document. Throws ModelError. */
export function readJson(reader: ByteReader, allowance: Allowance): Json {
  const value = readValue({ reader, allowance });
  if (peek(reader) !== undefined) throw damaged(reader.offset, 'something after the end of the JSON');
  return value;
}

interface Source {
  readonly reader: ByteReader;
  readonly allowance: Allowance;
}

/** The next character that is not white space, which is not taken; undefined at the end. */
function peek(reader: ByteReader): string | undefined {
  const byte = skipBlanks(reader);
  return byte === undefined ? undefined : String.fromCharCode(byte);
}

/** The byte that it stops at. */
function skipBlanks(reader: ByteReader): number | undefined {
  const { bytes } = reader;
  let byte = bytes[reader.offset];
  while (byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d)) {
    reader.offset += 1;
    byte = bytes[reader.offset];
  }
  return byte;
}

function take(reader: ByteReader, ...allowed: readonly string[]): string {
  const found = peek(reader);
  if (found === undefined || !allowed.includes(found))
    throw damaged(reader.offset, `JSON without ${allowed.join(' or ')}`);
  reader.offset += 1;
  return found;
}

function readValue(source: Source): Json {
  const start = peek(source.reader);
  if (start === '{') return readObject(source);
  if (start === '[') return readList(source);
  if (start === '"') return readText(source.reader);
  return readToken(source.reader);
}

function readObject(source: Source): Json {
  const { reader, allowance } = source;
  const members = new Map<string, Json>();
  allowance.enter();
  take(reader, '{');
  let next = peek(reader) === '}' ? take(reader, '}') : ',';
  while (next === ',') {
    allowance.items(2);
    const key = readText(reader);
    take(reader, ':');
    members.set(key, readValue(source));
    next = take(reader, ',', '}');
  }
  allowance.leave();
  return members;
}

function taken(reader: ByteReader): ',' {
  reader.offset += 1;
  return ',';
}

function readList(source: Source): Json {
  const { reader, allowance } = source;
  const items: Json[] = [];
  let numbers = true;
  allowance.enter();
  take(reader, '[');
  let next = peek(reader) === ']' ? take(reader, ']') : ',';
  while (next === ',') {
    allowance.items(1);
    skipBlanks(reader);
    const item = readNumber(reader) ?? readValue(source);
    numbers &&= typeof item === 'number';
    items.push(item);
    next = reader.bytes[reader.offset] === COMMA ? taken(reader) : take(reader, ',', ']');
  }
  allowance.leave();
  return numbers ? Float64Array.from(items, Number) : items;
}

function readText(reader: ByteReader): string {
  take(reader, '"');
  const { bytes, offset } = reader;
  let end = bytes.indexOf(QUOTE, offset);
  while (end > 0 && isEscaped(bytes, offset, end)) end = bytes.indexOf(QUOTE, end + 1);
  if (end < 0) throw damaged(offset, 'text without an end');
  const text = reader.utf8(end - offset);
  reader.offset = end + 1;
  return text.includes('\\') ? unescaped(text, offset) : text;
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(bytes: Uint8Array, start: number, end: number): boolean {
  let at = end;
  while (at > start && bytes[at - 1] === BACKSLASH) at -= 1;
  return (end - at) % 2 === 1;
}

function unescaped(text: string, offset: number): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    throw damaged(offset, 'text with an escape that JSON does not know');
  }
}

function readToken(reader: ByteReader): number | boolean | null {
  const { bytes, offset } = reader;
  let end = offset;
  while (end - offset < MAX_TOKEN && isOfToken(bytes[end] ?? 0)) end += 1;
  const token = Buffer.from(bytes.buffer, bytes.byteOffset + offset, end - offset).toString('latin1');
  reader.offset = end;
  if (NUMBER.test(token)) return Number(token);
  const word = WORDS.get(token);
  if (word === undefined) throw damaged(offset, 'neither a number nor a word of JSON');
  return word;
}

/** Letters, digits, and the signs of numbers. */
function isOfToken(byte: number): boolean {
  const letter = byte | 0x20;
  const isDigit = byte >= 0x30 && byte <= 0x39;
  return isDigit || (letter >= 0x61 && letter <= 0x7a) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}
