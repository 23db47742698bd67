// Pieces of JSON that can be read from bytes without making anything of them: plain ASCII without escapes, numbers without exponents. Positions in, positions
// out; -1 where there is something else, which may be right or wrong.

/** Of a number with no more digits, the digits and the power of ten are exact, so that their quotient is the nearest double, as JSON.parse has it. */
const MAX_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: MAX_DIGITS + 1 }, (_, power) => 10 ** power);

export const [QUOTE, COMMA, COLON, OPEN, CLOSE] = [0x22, 0x2c, 0x3a, 0x7b, 0x7d];
const [MINUS, POINT, ZERO, NINE, SPACE, BACKSLASH, LAST_ASCII] = [0x2d, 0x2e, 0x30, 0x39, 0x20, 0x5c, 0x7f];
const [TAB, LINE_FEED, RETURN] = [0x09, 0x0a, 0x0d];
const NULL = [0x6e, 0x75, 0x6c, 0x6c];

export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  let byte = bytes[at];
  while (byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB) byte = bytes[(at += 1)];
  return at;
}

/** Behind `byte`, which may have space before it. */
export function take(bytes: Uint8Array, from: number, byte: number): number {
  const at = bytes[from] === byte ? from : skipSpace(bytes, from);
  return bytes[at] === byte ? at + 1 : -1;
}

/** The quote that ends the text that begins at `from`, behind its first one. */
export function endOfText(bytes: Uint8Array, from: number): number {
  for (let at = from; ; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at;
    if (byte < SPACE || byte === BACKSLASH || byte >= LAST_ASCII) return -1;
  }
}

/** Behind a null, which may have space before it. */
export function takeNull(bytes: Uint8Array, from: number): number {
  const at = skipSpace(bytes, from);
  return NULL.every((byte, place) => bytes[at + place] === byte) ? at + NULL.length : -1;
}

/** The number that was read last. */
export class PlainNumber {
  value = 0;

  /** Behind a number, which may have space before it. An exponent is left standing, where the reader expects a comma or a brace. */
  take(bytes: Uint8Array, from: number): number {
    const start = skipSpace(bytes, from);
    const isNegative = bytes[start] === MINUS;
    const whole = isNegative ? start + 1 : start;
    const point = this.#takeDigits(bytes, whole, 0);
    const digits = point - whole;
    if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && bytes[whole] === ZERO)) return -1;
    let end = point;
    if (bytes[point] === POINT) {
      end = this.#takeDigits(bytes, point + 1, this.value);
      const power = end - point - 1;
      if (power === 0 || digits + power > MAX_DIGITS) return -1;
      this.value /= POWERS_OF_TEN[power] ?? 1;
    }
    if (isNegative) this.value = -this.value;
    return end;
  }

  #takeDigits(bytes: Uint8Array, from: number, before: number): number {
    let at = from;
    let value = before;
    for (let byte = bytes[at] ?? 0; byte >= ZERO && byte <= NINE; byte = bytes[(at += 1)] ?? 0) {
      value = value * 10 + (byte - ZERO);
    }
    this.value = value;
    return at;
  }
}

/** Texts that are known, to be found among bytes: those of one length are compared one after the other. */
export class KnownTexts {
  readonly #byLength: (readonly { readonly bytes: Uint8Array; readonly index: number }[] | undefined)[] = [];
  readonly size: number;

  constructor(texts: readonly string[]) {
    this.size = texts.length;
    for (const [index, text] of texts.entries()) {
      const bytes = Buffer.from(text);
      this.#byLength[bytes.length] = [...(this.#byLength[bytes.length] ?? []), { bytes, index }];
    }
  }

  /** Place of the text between these positions; -1 where it is none of them. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const candidates = this.#byLength[to - from];
    if (candidates === undefined) return -1;
    for (const { bytes: known, index } of candidates) {
      let at = 0;
      while (at < known.length && known[at] === bytes[from + at]) at += 1;
      if (at === known.length) return index;
    }
    return -1;
  }
}
