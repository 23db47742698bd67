// A basket read straight from its bytes, for the form that nearly all requests have: plain ASCII, no escapes, numbers without exponents, nothing twice. It
// makes no objects and no texts, which takes a quarter of the time of JSON.parse and a loop over what that gives. Whatever is unusual, and so everything
// that is wrong, is left to the general way, which knows what to say about it: a scan takes only what that takes, with the same numbers.
import { datetimeProblem } from '../validation/datetime.ts';
import { HIGH_VALUE } from './basket.ts';

/** What is added up of a basket, in the order of its text. */
export interface Sums {
  items: number;
  value: number;
  high: number;
  unique: number;
  hasCustomer: boolean;
  hasStore: boolean;
  /** By category, in the order in which they were given. */
  readonly counts: Float64Array;
}

export function noSums(categories: number): Sums {
  const counts = new Float64Array(categories);
  return { items: 0, value: 0, high: 0, unique: 0, hasCustomer: false, hasStore: false, counts };
}

/** Ids are compared with each other: with more of them a Map is faster. */
const MAX_ITEMS = 64;
const MAX_DATETIME = 64;
/** Such a number and its power of ten are exact, so that their quotient is the nearest double, as JSON.parse has it. */
const MAX_DIGITS = 15;
const POWERS_OF_TEN = Float64Array.from({ length: MAX_DIGITS + 1 }, (_, power) => 10 ** power);

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE] = [0x22, 0x5c, 0x2c, 0x3a, 0x7b, 0x7d];
const [MINUS, POINT, ZERO, NINE, SPACE, LAST_ASCII] = [0x2d, 0x2e, 0x30, 0x39, 0x20, 0x7f];
const [TAB, LINE_FEED, RETURN] = [0x09, 0x0a, 0x0d];

/** Known texts by a hash of their bytes. */
type Names = ReadonlyMap<number, { readonly bytes: Buffer; readonly index: number }>;

/** Undefined when two of them have the same hash. */
function namesOf(names: readonly string[]): Names | undefined {
  const known = names.map((name, index) => ({ bytes: Buffer.from(name), index }));
  const byHash = new Map(known.map((name) => [hashOf(name.bytes), name]));
  return byHash.size === names.length ? byHash : undefined;
}

function hashOf(bytes: Uint8Array): number {
  return bytes.reduce((hash, byte) => nextHash(hash, byte), 0);
}

function nextHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/** Members that mean something; any other is passed over where its value is a text, a number or null. */
const MEMBERS = namesOf(['basket_items', 'customer_id', 'store_id', 'timestamp']);
const FIELDS = namesOf(['quantity', 'price', 'category']);
const NONE: Names = new Map();

export class BasketScan {
  readonly #categories: Names;
  /** Place of the category of items without one; -1 where it is not counted. */
  readonly #unknown: number;
  readonly #ids = new Int32Array(MAX_ITEMS);
  readonly sums: Sums;
  #bytes: Uint8Array = Buffer.alloc(0);
  #at = 0;
  #baskets = 0;
  /** The text that was read last. */
  #from = 0;
  #hash = 0;
  /** The number that was read last. */
  #number = 0;
  /** Of the item that is being read. */
  #quantity = 1;
  #price = 0;
  #category = -1;

  private constructor(categories: Names, unknown: number) {
    this.#categories = categories;
    this.#unknown = unknown;
    this.sums = noSums(categories.size);
  }

  /** A scan that counts these categories; undefined where they cannot be told apart. */
  static of(categories: readonly string[]): BasketScan | undefined {
    const names = namesOf(categories);
    return names && new BasketScan(names, categories.indexOf('unknown'));
  }

  /** Adds up a body. False: it is not of the plain form, and `sums` say nothing. */
  read(body: Uint8Array): boolean {
    this.#bytes = body;
    this.#at = 0;
    this.#baskets = 0;
    const { sums } = this;
    sums.items = sums.value = sums.high = sums.unique = 0;
    sums.hasCustomer = sums.hasStore = false;
    sums.counts.fill(0);
    const isRead = this.#object(MEMBERS, this.#member);
    this.#skipSpace();
    return isRead && this.#baskets === 1 && this.#at === body.length;
  }

  /** Reads an object: `member` is told the place of each name (-1: unknown) and reads its value. */
  #object(names: Names = NONE, member: (name: number) => boolean): boolean {
    if (!this.#take(OPEN)) return false;
    if (this.#take(CLOSE)) return true;
    let seen = 0;
    do {
      if (!this.#readText()) return false;
      const name = this.#nameIn(names);
      if (name >= 0 && (seen & (1 << name)) !== 0) return false;
      seen |= name >= 0 ? 1 << name : 0;
      if (!this.#take(COLON) || !member(name)) return false;
    } while (this.#take(COMMA));
    return this.#take(CLOSE);
  }

  readonly #member = (name: number): boolean => {
    if (name === 0) {
      this.#baskets += 1;
      return this.#object(NONE, this.#item);
    }
    if (name === -1) return this.#skipValue();
    if (this.#readNull()) return true;
    if (!this.#readText()) return false;
    const isEmpty = this.#at - this.#from === 1;
    if (name === 1) this.sums.hasCustomer = !isEmpty;
    else if (name === 2) this.sums.hasStore = !isEmpty;
    else return this.#isDatetime();
    return true;
  };

  readonly #item = (): boolean => {
    const { sums } = this;
    if (!this.#isNewId()) return false;
    this.#quantity = 1;
    this.#price = 0;
    this.#category = this.#unknown;
    if (!this.#object(FIELDS, this.#field)) return false;
    sums.items += this.#quantity;
    sums.value += this.#price * this.#quantity;
    sums.unique += 1;
    if (this.#price > HIGH_VALUE) sums.high += 1;
    if (this.#category >= 0) sums.counts[this.#category] = (sums.counts[this.#category] ?? 0) + this.#quantity;
    return true;
  };

  readonly #field = (name: number): boolean => {
    if (name === -1) return this.#skipValue();
    if (name === 2) {
      if (!this.#readText()) return false;
      this.#category = this.#nameIn(this.#categories);
      return true;
    }
    if (!this.#readNumber()) return false;
    if (name === 0) this.#quantity = this.#number;
    else this.#price = this.#number;
    return true;
  };

  /** An id that comes again replaces its first item: equal hashes are enough to leave that to the general way. */
  #isNewId(): boolean {
    const count = this.sums.unique;
    if (count === MAX_ITEMS) return false;
    for (let at = 0; at < count; at += 1) if (this.#ids[at] === this.#hash) return false;
    this.#ids[count] = this.#hash;
    return true;
  }

  #isDatetime(): boolean {
    if (this.#at - this.#from > MAX_DATETIME) return false;
    const text = String.fromCharCode(...this.#bytes.subarray(this.#from, this.#at - 1));
    return datetimeProblem(text) === undefined;
  }

  #skipValue(): boolean {
    return this.#readText() || this.#readNull() || this.#readNumber();
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let byte = bytes[at];
    while (byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB) byte = bytes[(at += 1)];
    this.#at = at;
  }

  #take(byte: number): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #readNull(): boolean {
    this.#skipSpace();
    const [bytes, at] = [this.#bytes, this.#at];
    const isNull = bytes[at] === 0x6e && bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c;
    if (isNull) this.#at += 4;
    return isNull;
  }

  #readText(): boolean {
    if (!this.#take(QUOTE)) return false;
    const bytes = this.#bytes;
    let at = this.#at;
    let hash = 0;
    for (let byte = bytes[at] ?? 0; byte !== QUOTE; byte = bytes[(at += 1)] ?? 0) {
      if (byte < SPACE || byte === BACKSLASH || byte >= LAST_ASCII) return false;
      hash = nextHash(hash, byte);
    }
    this.#from = this.#at;
    this.#at = at + 1;
    this.#hash = hash;
    return true;
  }

  /** The place of the text that was read last; -1 where it is none of these. */
  #nameIn(names: Names): number {
    const name = names.get(this.#hash);
    if (name === undefined || name.bytes.length !== this.#at - 1 - this.#from) return -1;
    for (let at = 0; at < name.bytes.length; at += 1) {
      if (name.bytes[at] !== this.#bytes[this.#from + at]) return -1;
    }
    return name.index;
  }

  #readNumber(): boolean {
    this.#skipSpace();
    const isNegative = this.#bytes[this.#at] === MINUS;
    if (isNegative) this.#at += 1;
    const start = this.#at;
    const whole = this.#readDigits(0);
    const digits = this.#at - start;
    if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && this.#bytes[start] === ZERO)) return false;
    this.#number = isNegative ? -whole : whole;
    // what comes next is a comma, a brace or something else that no number has, as an exponent
    return this.#bytes[this.#at] !== POINT || this.#readFraction(digits, isNegative ? -1 : 1);
  }

  #readFraction(wholeDigits: number, sign: 1 | -1): boolean {
    this.#at += 1;
    const start = this.#at;
    const digits = this.#readDigits(sign * this.#number);
    const power = this.#at - start;
    this.#number = (sign * digits) / (POWERS_OF_TEN[power] ?? 1);
    return power > 0 && wholeDigits + power <= MAX_DIGITS;
  }

  #readDigits(before: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let number = before;
    for (let byte = bytes[at] ?? 0; byte >= ZERO && byte <= NINE; byte = bytes[(at += 1)] ?? 0) {
      number = number * 10 + (byte - ZERO);
    }
    this.#at = at;
    return number;
  }
}
