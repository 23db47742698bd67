// A basket read straight from its bytes, for the form that nearly all requests have: see plain-json.ts. It makes no objects and no texts, which takes half
// of the time of JSON.parse and a loop over what that gives. Whatever is unusual, and so everything that is wrong, is left to the general way, which knows
// what to say about it: a scan takes only what that takes, with the same numbers.
import { datetimeProblem } from '../validation/datetime.ts';
import { HIGH_VALUE } from './basket.ts';
import {
  CLOSE,
  COLON,
  COMMA,
  OPEN,
  QUOTE,
  KnownTexts,
  PlainNumber,
  endOfText,
  skipSpace,
  take,
  takeNull,
} from './plain-json.ts';

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

/** Members that mean something; any other is passed over where its value is a text, a number or null. */
const MEMBERS = new KnownTexts(['basket_items', 'customer_id', 'store_id', 'timestamp']);
const FIELDS = new KnownTexts(['quantity', 'price', 'category']);
const NONE = new KnownTexts([]);

/** Reads the value at `at` of a member whose name begins at `from` and is `name` of those that are known. Answers where it ends, or -1. */
type ReadMember = (name: number, at: number, from: number) => number;

export class BasketScan {
  readonly sums: Sums;
  readonly #categories: KnownTexts;
  /** Place of the category of items without one; -1 where it is not counted. */
  readonly #unknown: number;
  /** Hashes of the ids so far. */
  readonly #ids = new Int32Array(MAX_ITEMS);
  readonly #number = new PlainNumber();
  #bytes: Uint8Array = Buffer.alloc(0);
  #baskets = 0;
  /** Of the item that is being read. */
  #quantity = 1;
  #price = 0;
  #category = -1;

  /** @param categories those that are counted */
  constructor(categories: readonly string[]) {
    this.#categories = new KnownTexts(categories);
    this.#unknown = categories.indexOf('unknown');
    this.sums = noSums(categories.length);
  }

  /** Adds up a body. False: it is not of the plain form, and `sums` say nothing. */
  read(body: Uint8Array): boolean {
    const { sums } = this;
    this.#bytes = body;
    this.#baskets = 0;
    sums.items = sums.value = sums.high = sums.unique = 0;
    sums.hasCustomer = sums.hasStore = false;
    sums.counts.fill(0);
    const end = this.#object(0, MEMBERS, this.#member);
    return end >= 0 && this.#baskets === 1 && skipSpace(body, end) === body.length;
  }

  #object(start: number, names: KnownTexts, member: ReadMember): number {
    const bytes = this.#bytes;
    let at = take(bytes, start, OPEN);
    if (at < 0) return -1;
    const closed = take(bytes, at, CLOSE);
    if (closed >= 0) return closed;
    for (let seen = 0; ;) {
      const from = take(bytes, at, QUOTE);
      const to = from < 0 ? -1 : endOfText(bytes, from);
      const value = to < 0 ? -1 : take(bytes, to + 1, COLON);
      if (value < 0) return -1;
      const name = names.find(bytes, from, to);
      if (name >= 0 && (seen & (1 << name)) !== 0) return -1;
      if (name >= 0) seen |= 1 << name;
      const end = member(name, value, from);
      if (end < 0) return -1;
      at = take(bytes, end, COMMA);
      if (at < 0) return take(bytes, end, CLOSE);
    }
  }

  readonly #member: ReadMember = (name, at) => {
    if (name === 0) {
      this.#baskets += 1;
      return this.#object(at, NONE, this.#item);
    }
    if (name === -1) return this.#skipValue(at);
    const from = take(this.#bytes, at, QUOTE);
    if (from < 0) return takeNull(this.#bytes, at);
    const to = endOfText(this.#bytes, from);
    if (name === 1) this.sums.hasCustomer = to > from;
    else if (name === 2) this.sums.hasStore = to > from;
    else if (!this.#isDatetime(from, to)) return -1;
    return to < 0 ? -1 : to + 1;
  };

  readonly #item: ReadMember = (_, at, from) => {
    if (!this.#isNewId(from)) return -1;
    this.#quantity = 1;
    this.#price = 0;
    this.#category = this.#unknown;
    const end = this.#object(at, FIELDS, this.#field);
    const { sums } = this;
    sums.items += this.#quantity;
    sums.value += this.#price * this.#quantity;
    sums.unique += 1;
    if (this.#price > HIGH_VALUE) sums.high += 1;
    if (this.#category >= 0) sums.counts[this.#category] = (sums.counts[this.#category] ?? 0) + this.#quantity;
    return end;
  };

  readonly #field: ReadMember = (name, at) => {
    if (name === -1) return this.#skipValue(at);
    if (name === 2) {
      const from = take(this.#bytes, at, QUOTE);
      const to = from < 0 ? -1 : endOfText(this.#bytes, from);
      this.#category = to < 0 ? -1 : this.#categories.find(this.#bytes, from, to);
      return to < 0 ? -1 : to + 1;
    }
    const end = this.#number.take(this.#bytes, at);
    if (name === 0) this.#quantity = this.#number.value;
    else this.#price = this.#number.value;
    return end;
  };

  #skipValue(at: number): number {
    const from = take(this.#bytes, at, QUOTE);
    if (from >= 0) {
      const to = endOfText(this.#bytes, from);
      return to < 0 ? -1 : to + 1;
    }
    const end = this.#number.take(this.#bytes, at);
    return end < 0 ? takeNull(this.#bytes, at) : end;
  }

  /** An id that comes again replaces its first item: equal hashes are enough to leave that to the general way. */
  #isNewId(from: number): boolean {
    const { unique } = this.sums;
    if (unique === MAX_ITEMS) return false;
    let hash = 0;
    for (let at = from; this.#bytes[at] !== QUOTE; at += 1) hash = (Math.imul(hash, 31) + (this.#bytes[at] ?? 0)) | 0;
    for (let at = 0; at < unique; at += 1) if (this.#ids[at] === hash) return false;
    this.#ids[unique] = hash;
    return true;
  }

  #isDatetime(from: number, to: number): boolean {
    if (to < 0 || to - from > MAX_DATETIME) return false;
    return datetimeProblem(String.fromCharCode(...this.#bytes.subarray(from, to))) === undefined;
  }
}
