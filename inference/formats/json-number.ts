// The short way for the numbers in the lists of a model, which are nearly all of its JSON.
import type { ByteReader } from './byte-reader.ts';

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const COMMA = 0x2c;
const BRACKET = 0x5d;
/** So many digits fit into a double, and so many tens: one multiplication or division of such is rounded once, as the whole number has to be. */
const MAX_DIGITS = 15;
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** A number with an entry's end behind it; undefined, and nothing taken, for all that is not short and plain. */
export function readNumber(reader: ByteReader): number | undefined {
  const { bytes, offset } = reader;
  const isNegative = bytes[offset] === MINUS;
  const mantissa = readMantissa(bytes, isNegative ? offset + 1 : offset);
  if (mantissa === undefined) return undefined;
  const exponent = readExponent(bytes, mantissa.end);
  if (exponent === undefined) return undefined;
  const power = exponent.value - mantissa.places;
  const scale = POWERS[Math.abs(power)];
  if (scale === undefined || (bytes[exponent.end] !== COMMA && bytes[exponent.end] !== BRACKET)) return undefined;
  reader.offset = exponent.end;
  const number = power < 0 ? mantissa.digits / scale : mantissa.digits * scale;
  return isNegative ? -number : number;
}

interface Mantissa extends Digits {
  /** Digits behind the point. */
  readonly places: number;
}

function readMantissa(bytes: Uint8Array, start: number): Mantissa | undefined {
  const { digits, end } = readDigits(bytes, start, 0);
  const whole = end - start;
  if (whole === 0 || whole > MAX_DIGITS || (whole > 1 && bytes[start] === ZERO)) return undefined;
  if (bytes[end] !== POINT) return { digits, end, places: 0 };
  const all = readDigits(bytes, end + 1, digits);
  const places = all.end - end - 1;
  return places === 0 || whole + places > MAX_DIGITS ? undefined : { ...all, places };
}

interface Digits {
  /** Those before and these, as one number. */
  readonly digits: number;
  readonly end: number;
}

function readDigits(bytes: Uint8Array, start: number, before: number): Digits {
  let digits = before;
  let end = start;
  let digit = (bytes[end] ?? 0) - ZERO;
  while (digit >= 0 && digit <= 9) {
    digits = digits * 10 + digit;
    end += 1;
    digit = (bytes[end] ?? 0) - ZERO;
  }
  return { digits, end };
}

/** 0 where there is none. */
function readExponent(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | undefined {
  if (((bytes[at] ?? 0) | 0x20) !== 0x65) return { value: 0, end: at };
  const sign = bytes[at + 1];
  const start = sign === MINUS || sign === PLUS ? at + 2 : at + 1;
  const { digits, end } = readDigits(bytes, start, 0);
  if (end === start) return undefined;
  return { value: sign === MINUS ? -digits : digits, end };
}
