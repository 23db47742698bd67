// Reads the head of a request, as long as it is of the plain kind that nearly all are; anything else is left to node:http, which knows all of HTTP. What is
// accepted here is a small part of what node:http accepts, and means the same there (RFC 9112): lines end with CRLF, names are tokens, a field that matters
// comes once, one Content-Length says where the body ends.
import { CONNECTION, fieldOf, HOST, isNamed, LENGTH, OTHER, REQUEST_ID, TYPE } from './fields.ts';

export interface PlainRequest {
  /** Where the body begins and ends in the bytes that were read; its end may be beyond theirs. */
  readonly bodyAt: number;
  readonly end: number;
  readonly contentType: string | undefined;
  /** What the client calls it. */
  readonly requestId: string | undefined;
}

export interface PlainRules {
  /** The first line of a request, with CRLF. */
  readonly line: Uint8Array;
  readonly maxBodyBytes: number;
}

/** Longer heads are rare. */
const MAX_HEAD_BYTES = 4096;
/** Enough for any body that is allowed. */
const MAX_DIGITS = 10;
const JSON_TYPE = Buffer.from('application/json');
const KEEP_ALIVE = Buffer.from('keep-alive');
const REQUIRED = (1 << HOST) | (1 << LENGTH);
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
const ZERO = 0x30;
const DELETE = 0x7f;

/** What a byte may be in: a bit for each. */
const IN_NAME = 1;
const IN_VALUE = 2;
const ALLOWED = new Uint8Array(256);
for (let byte = SPACE; byte < 256; byte += 1) if (byte !== DELETE) ALLOWED[byte] = IN_VALUE;
ALLOWED[TAB] = IN_VALUE;
for (const byte of Buffer.from("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
  ALLOWED[byte] = IN_NAME | IN_VALUE;
}

export class PlainRequestReader {
  readonly #rules: PlainRules;
  #seen = 0;
  #length = 0;
  #contentType: string | undefined;
  #requestId: string | undefined;

  constructor(rules: PlainRules) {
    this.#rules = rules;
  }

  /** The request that begins at `from`; undefined when it is not plain, or when its head is not all there. */
  read(bytes: Buffer, from: number): PlainRequest | undefined {
    const { line, maxBodyBytes } = this.#rules;
    if (!isAt(bytes, from, line)) return undefined;
    this.#seen = 0;
    this.#length = 0;
    this.#contentType = undefined;
    this.#requestId = undefined;
    const limit = Math.min(bytes.length, from + MAX_HEAD_BYTES);
    let at = from + line.length;
    while (at < limit && bytes[at] !== CR) {
      at = this.#readField(bytes, at, limit);
      if (at < 0) return undefined;
    }
    const isWhole = bytes[at] === CR && bytes[at + 1] === LF && (this.#seen & REQUIRED) === REQUIRED;
    if (!isWhole || this.#length > maxBodyBytes) return undefined;
    const bodyAt = at + 2;
    return {
      bodyAt,
      end: bodyAt + this.#length,
      contentType: this.#contentType,
      requestId: this.#requestId,
    };
  }

  /** Where the next line begins; -1 when this one is not plain. */
  #readField(bytes: Buffer, at: number, limit: number): number {
    const colon = afterAll(IN_NAME, bytes, at, limit);
    if (colon === at || bytes[colon] !== COLON) return -1;
    let begin = colon + 1;
    while (isBlank(bytes[begin])) begin += 1;
    let end = afterAll(IN_VALUE, bytes, begin, limit);
    const next = end + 2;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) return -1;
    const field = fieldOf(bytes, at, colon);
    if (field === OTHER) return next;
    while (end > begin && isBlank(bytes[end - 1])) end -= 1;
    return this.#take(field, bytes, begin, end) ? next : -1;
  }

  #take(field: number, bytes: Buffer, begin: number, end: number): boolean {
    const bit = 1 << field;
    if ((this.#seen & bit) !== 0) return false;
    this.#seen |= bit;
    switch (field) {
      case HOST:
        return true;
      case LENGTH:
        this.#length = numberIn(bytes, begin, end);
        return this.#length >= 0;
      case TYPE:
        this.#contentType = typeIn(bytes, begin, end);
        return true;
      case REQUEST_ID:
        this.#requestId = bytes.toString('latin1', begin, end);
        return true;
      case CONNECTION:
        return end - begin === KEEP_ALIVE.length && isNamed(bytes, begin, KEEP_ALIVE);
      default:
        return false;
    }
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

/** The first byte from `at` on that may not be in what `kind` says. */
function afterAll(kind: number, bytes: Uint8Array, at: number, limit: number): number {
  let end = at;
  while (end < limit && ((ALLOWED[bytes[end] ?? 0] ?? 0) & kind) !== 0) end += 1;
  return end;
}

function isAt(bytes: Uint8Array, from: number, expected: Uint8Array): boolean {
  if (from + expected.length > bytes.length) return false;
  for (let at = 0; at < expected.length; at += 1) if (bytes[from + at] !== expected[at]) return false;
  return true;
}

/** -1: no number. */
function numberIn(bytes: Uint8Array, begin: number, end: number): number {
  if (begin === end || end - begin > MAX_DIGITS) return -1;
  let number = 0;
  for (let at = begin; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** The usual one is not written again and again. */
function typeIn(bytes: Buffer, begin: number, end: number): string {
  const isUsual = end - begin === JSON_TYPE.length && isAt(bytes, begin, JSON_TYPE);
  return isUsual ? 'application/json' : bytes.toString('latin1', begin, end);
}
