// A cursor over bytes that cannot be talked into reading past the end, or into allocating what the file does not hold.
import { ModelError } from '../model/errors.ts';

/** Below the longest string that V8 can hold. */
const MAX_TEXT = 2 ** 28;

/** Text from the file is shown in messages: shortened, and without control characters. */
export function shown(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length > 80 ? `${clean.slice(0, 77)}...` : clean;
}

/** A damaged file; `offset` is a position in the decompressed bytes. */
export function damaged(offset: number, what: string): ModelError {
  return new ModelError('LoadFailed', `byte ${offset}: ${what}; the file is damaged or cut off, upload it again`);
}

export class ByteReader {
  offset = 0;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves on by `length` bytes and returns where they start. Throws ModelError when fewer are left. */
  #skip(length: number): number {
    const start = this.offset;
    const left = this.bytes.length - start;
    if (!(length <= left)) throw damaged(start, `${length} bytes are announced and ${left} are left`);
    this.offset = start + length;
    return start;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  /** An unsigned 64-bit length. Lengths over 2^53 lose precision, which is harmless: they are over every limit. */
  u64(): number {
    const start = this.#skip(8);
    return this.#view.getUint32(start, true) + this.#view.getUint32(start + 4, true) * 2 ** 32;
  }

  f64BigEndian(): number {
    return this.#view.getFloat64(this.#skip(8), false);
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** The next `length` bytes as UTF-8. */
  utf8(length: number): string {
    const start = this.offset;
    if (length > MAX_TEXT) throw damaged(start, `text of ${length} bytes`);
    try {
      return this.#utf8.decode(this.take(length));
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw damaged(start, 'text that is not UTF-8');
    }
  }

  /** Text up to the next line feed, which is skipped; one character per byte. */
  line(maxLength: number): string {
    const start = this.offset;
    const end = this.bytes.indexOf(0x0a, start);
    if (end < 0) throw damaged(start, 'a line without an end');
    if (end - start > Math.min(maxLength, MAX_TEXT)) throw damaged(start, `a line of ${end - start} bytes`);
    this.offset = end + 1;
    const part = this.bytes.subarray(start, end);
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1');
  }
}
