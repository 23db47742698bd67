// What pydantic 2.5 accepts as a date-time: the RFC 3339 forms of its parser (speedate), or a Unix timestamp as number or text. Only the verdict is
// needed, the value is not used. Checked against pydantic itself by test/fixtures/validation.json.

const WATERSHED = 2e10; // beyond it a number counts milliseconds
const YEAR_9999_END = 253_402_300_799;
const YEAR_1600 = -11_676_096_000;
const TOO_LATE = 'dates after 9999 are not supported as unix timestamps';
const TOO_EARLY = 'dates before 1600 are not supported as unix timestamps';

/** Undefined when `value` is a date-time, else pydantic's words for what is wrong with it. */
export function datetimeProblem(value: string | number): string | undefined {
  if (typeof value === 'number') return timestampProblem(value);
  const problem = textProblem(value);
  if (problem === undefined) return undefined;
  const number = unixTimestamp(value);
  return number === undefined ? problem : timestampProblem(number);
}

function timestampProblem(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN values not permitted';
  const seconds = Math.abs(value) > WATERSHED ? value / 1000 : value;
  if (Math.floor(seconds) > YEAR_9999_END) return TOO_LATE;
  return seconds < YEAR_1600 ? TOO_EARLY : undefined;
}

function unixTimestamp(text: string): number | undefined {
  const digits = /^[-+]?([0-9]+)(\.[0-9]*)?$/.exec(text);
  if (digits === null) return undefined;
  const whole = BigInt(digits[1] ?? '0');
  return whole > 9_223_372_036_854_775_807n ? undefined : Number(text);
}

/** The parser works on UTF-8 bytes: so do the lengths and offsets here. */
function textProblem(text: string): string | undefined {
  const bytes = Buffer.from(text);
  const date = dateProblem(bytes);
  if (date !== undefined) return date;
  const separator = bytes[10];
  if (separator === undefined || !'Tt_ '.includes(String.fromCharCode(separator))) {
    return 'invalid datetime separator, expected `T`, `t`, `_` or space';
  }
  return timeProblem(bytes, 11);
}

function dateProblem(bytes: Buffer): string | undefined {
  if (bytes.length < 10) return 'input is too short';
  const year = digitsAt(bytes, 0, 4);
  if (year === undefined) return 'invalid character in year';
  if (bytes[4] !== 0x2d) return 'invalid date separator, expected `-`';
  const month = digitsAt(bytes, 5, 2);
  if (month === undefined) return 'invalid character in month';
  if (bytes[7] !== 0x2d) return 'invalid date separator, expected `-`';
  const day = digitsAt(bytes, 8, 2);
  if (day === undefined) return 'invalid character in day';
  if (month < 1 || month > 12) return 'month value is outside expected range of 1-12';
  return day < 1 || day > daysIn(year, month) ? 'day value is outside expected range' : undefined;
}

function timeProblem(bytes: Buffer, start: number): string | undefined {
  if (bytes.length - start < 5) return 'input is too short';
  const hour = digitsAt(bytes, start, 2);
  if (hour === undefined) return 'invalid character in hour';
  if (bytes[start + 2] !== 0x3a) return 'invalid time separator, expected `:`';
  const minute = digitsAt(bytes, start + 3, 2);
  if (minute === undefined) return 'invalid character in minute';
  if (hour > 23) return 'hour value is outside expected range of 0-23';
  if (minute > 59) return 'minute value is outside expected range of 0-59';
  if (bytes[start + 5] !== 0x3a) return zoneProblem(bytes, start + 5);
  const second = digitsAt(bytes, start + 6, 2);
  if (second === undefined) return 'invalid character in second';
  if (second > 59) return 'second value is outside expected range of 0-59';
  return fractionProblem(bytes, start + 8);
}

function fractionProblem(bytes: Buffer, start: number): string | undefined {
  if (bytes[start] !== 0x2e && bytes[start] !== 0x2c) return zoneProblem(bytes, start);
  let end = start + 1;
  while (isDigit(bytes[end])) end += 1;
  return end === start + 1 ? 'second fraction digits missing after `.`' : zoneProblem(bytes, end);
}

function zoneProblem(bytes: Buffer, start: number): string | undefined {
  const extra = 'unexpected extra characters at the end of the input';
  if (start >= bytes.length) return undefined;
  if (bytes[start] === 0x5a || bytes[start] === 0x7a) return bytes.length > start + 1 ? extra : undefined;
  const width = signWidth(bytes, start);
  if (width === 0) return 'invalid timezone sign';
  const hour = digitsAt(bytes, start + width, 2);
  if (hour === undefined) return 'invalid timezone hour';
  const colon = bytes[start + width + 2] === 0x3a ? 1 : 0;
  const minute = digitsAt(bytes, start + width + 2 + colon, 2);
  if (minute === undefined) return 'invalid timezone minute';
  if (minute > 59) return 'timezone minute value is outside expected range of 0-59';
  if (hour > 23) return 'timezone offset must be less than 24 hours';
  return bytes.length > start + width + 4 + colon ? extra : undefined;
}

/** Bytes of the sign: `+`, `-` or U+2212; 0 when there is none. */
function signWidth(bytes: Buffer, at: number): number {
  if (bytes[at] === 0x2b || bytes[at] === 0x2d) return 1;
  return bytes[at] === 0xe2 && bytes[at + 1] === 0x88 && bytes[at + 2] === 0x92 ? 3 : 0;
}

function digitsAt(bytes: Buffer, start: number, count: number): number | undefined {
  let value = 0;
  for (let at = start; at < start + count; at += 1) {
    const byte = bytes[at];
    if (byte === undefined || !isDigit(byte)) return undefined;
    value = value * 10 + byte - 0x30;
  }
  return value;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
