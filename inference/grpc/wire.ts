// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding), as much as the inference protocol needs: a generated codec
// and its runtime weigh ten times as much and cannot put packed numbers into a Float64Array. Pure.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const TWO_32 = 2 ** 32;

/** The bytes are no message of that kind. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Integer kinds of a varint. Integers beyond 2^53 become the nearest double. */
export type IntegerKind = 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64';
/** How the numbers of a repeated field are written. */
export type NumberKind = IntegerKind | 'float' | 'double';

const WIDTHS = { float: 4, double: 8 } as const;

/** One field of a message. What is asked of it has to fit how it was written. */
export class Field {
  readonly number: number;
  readonly #bytes: Uint8Array | undefined;
  readonly #fixed: number;
  readonly #low: number;
  readonly #high: number;

  /** `fixed`: the bytes are a number of that many bytes; 0: they are delimited, or the field is a varint of two halves. */
  constructor(number: number, value: Uint8Array | readonly [low: number, high: number], fixed = 0) {
    const isBytes = value instanceof Uint8Array;
    this.number = number;
    this.#bytes = isBytes ? value : undefined;
    this.#fixed = fixed;
    [this.#low, this.#high] = isBytes ? [0, 0] : value;
  }

  /** The content of a string, bytes or message field. */
  bytes(): Uint8Array {
    if (this.#bytes === undefined || this.#fixed > 0) throw this.#misfit('bytes');
    return this.#bytes;
  }

  text(): string {
    try {
      return utf8.decode(this.bytes());
    } catch (cause) {
      throw cause instanceof WireError ? cause : new WireError(`field ${this.number} is not UTF-8`, { cause });
    }
  }

  integer(kind: IntegerKind): number {
    if (this.#bytes !== undefined) throw this.#misfit(kind);
    return integerOf(kind, this.#low, this.#high);
  }

  /** The numbers of a repeated field: all of them where they are packed, else the one that this field holds. */
  numbers(kind: NumberKind): readonly number[] {
    if (kind !== 'float' && kind !== 'double') {
      return this.#bytes === undefined ? [this.integer(kind)] : packedIntegers(this.bytes(), kind);
    }
    const bytes = this.#bytes;
    const width = WIDTHS[kind];
    if (bytes === undefined || bytes.length % width !== 0 || (this.#fixed > 0 && this.#fixed !== width)) {
      throw this.#misfit(kind);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / width }, (_, at) =>
      kind === 'float' ? view.getFloat32(at * width, true) : view.getFloat64(at * width, true),
    );
  }

  #misfit(kind: string): WireError {
    return new WireError(`field ${this.number} is not written as ${kind}`);
  }
}

function integerOf(kind: IntegerKind, low: number, high: number): number {
  if (kind === 'bool') return low === 0 && high === 0 ? 0 : 1;
  if (kind === 'int32') return low | 0;
  if (kind === 'uint32') return low;
  // The high half times 2^32 is exact, so there is one rounding only.
  return (kind === 'int64' ? high | 0 : high) * TWO_32 + low;
}

function packedIntegers(bytes: Uint8Array, kind: IntegerKind): readonly number[] {
  const cursor = new Cursor(bytes);
  const numbers: number[] = [];
  while (!cursor.atEnd) numbers.push(integerOf(kind, ...cursor.varint()));
  return numbers;
}

/** The fields of a message, in the order in which they were written. Throws WireError. */
export function* fieldsOf(message: Uint8Array): Generator<Field, void> {
  const cursor = new Cursor(message);
  while (!cursor.atEnd) {
    const [tag, high] = cursor.varint();
    const number = tag >>> 3;
    if (number === 0 || high !== 0) throw new WireError('a field has no number');
    const wireType = tag & 7;
    if (wireType === 0) yield new Field(number, cursor.varint());
    else if (wireType === 1) yield new Field(number, cursor.take(8), 8);
    else if (wireType === 2) yield new Field(number, cursor.take(cursor.length()));
    else if (wireType === 5) yield new Field(number, cursor.take(4), 4);
    else throw new WireError(`field ${number} has the wire type ${wireType}`);
  }
}

class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The two unsigned halves of 64 bits. */
  varint(): readonly [low: number, high: number] {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new WireError('the message ends within a number');
      this.#at += 1;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high |= bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) return [low >>> 0, high >>> 0];
    }
    throw new WireError('a number has more than ten bytes');
  }

  length(): number {
    const [low, high] = this.varint();
    return high * TWO_32 + low;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError('the message ends within a field');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** Writes one message. As proto3 has it, a single value that is zero or empty is left out. */
export class MessageWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, encoder.encode(value));
  }

  bool(field: number, value: boolean): this {
    if (value) this.#tag(field, 0).#varint(1);
    return this;
  }

  /** Bytes, or a message that is already written; also an empty one. */
  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, 2).#varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** Integers up to 2^53, packed. */
  integers(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    const packed = new MessageWriter();
    for (const value of values) packed.#varint(value);
    return this.bytes(field, packed.finish());
  }

  /** Doubles, packed. */
  doubles(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    const packed = new DataView(new ArrayBuffer(values.length * 8));
    for (const [at, value] of values.entries()) packed.setFloat64(at * 8, value, true);
    return this.bytes(field, new Uint8Array(packed.buffer));
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #tag(field: number, wireType: number): this {
    return this.#varint(field * 8 + wireType);
  }

  /** Two's complement of 64 bits for a negative number. */
  #varint(value: number): this {
    this.#room(10);
    let low = (value % TWO_32) >>> 0;
    let high = Math.floor(value / TWO_32) >>> 0;
    while (high !== 0 || low > 0x7f) {
      this.#byte((low & 0x7f) | 0x80);
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#byte(low);
    return this;
  }

  #byte(value: number): void {
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
