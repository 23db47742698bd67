// What JSON and UBJSON have in common: values, their checked reading by name, and a bound on the memory that they take.
import { ModelError } from '../model/errors.ts';
import { shown } from './byte-reader.ts';

/** A list of numbers alone, in the type that the document has. */
export type Numbers =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** A value of a document. */
export type Json = null | boolean | number | string | Numbers | readonly Json[] | ReadonlyMap<string, Json>;

const MAX_DEPTH = 64;
/** Memory of a value in a list, and what a list or an object takes besides. */
const ITEM_BYTES = 16;
const CONTAINER_BYTES = 128;

/** Counts what values take while they are read: a few bytes of a file can ask for many of memory. */
export class Allowance {
  readonly #maxBytes: number;
  #bytes = 0;
  #depth = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws ModelError when `count` more values of a list or object are too many. */
  items(count: number): void {
    this.#spend(count * ITEM_BYTES);
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new ModelError('LoadFailed', `values nested more than ${MAX_DEPTH} deep`);
    this.#spend(CONTAINER_BYTES);
  }

  leave(): void {
    this.#depth -= 1;
  }

  #spend(bytes: number): void {
    this.#bytes += bytes;
    // the values of a document take several times its size, and are gone when the trees are built
    if (this.#bytes <= 4 * this.#maxBytes) return;
    throw new ModelError(
      'ArtifactTooLarge',
      `its values take more than ${4 * this.#maxBytes} bytes; use a smaller model`,
    );
  }
}

/** An object of a document; what is asked of it has to be there and of the right type. */
export class Section {
  readonly #members: ReadonlyMap<string, Json>;
  readonly #path: string;

  constructor(value: Json | undefined, path: string) {
    if (!(value instanceof Map)) throw damagedDocument(`${path} is no object`);
    this.#members = value as ReadonlyMap<string, Json>;
    this.#path = path;
  }

  has(key: string): boolean {
    return (this.#members.get(key) ?? null) !== null;
  }

  section(key: string): Section {
    return new Section(this.#members.get(key), this.#name(key));
  }

  sections(key: string): readonly Section[] {
    return this.#list(key).map((entry, at) => new Section(entry, `${this.#name(key)}[${at}]`));
  }

  text(key: string): string {
    const value = this.#members.get(key);
    if (typeof value === 'string') return value;
    throw damagedDocument(`${this.#name(key)} is no text`);
  }

  texts(key: string): readonly string[] {
    const list = this.#list(key);
    const texts = list.filter((entry) => typeof entry === 'string');
    if (texts.length === list.length) return texts;
    throw damagedDocument(`${this.#name(key)} is no list of texts`);
  }

  /** A finite number; libraries write some as text. */
  number(key: string): number {
    const value = this.#members.get(key);
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw damagedDocument(`${this.#name(key)} is no number`);
  }

  /** An integer from `least` to `most`. */
  integer(key: string, least: number, most: number): number {
    const number = this.number(key);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw damagedDocument(`${this.#name(key)} is ${number}`);
  }

  /** Numbers, of which NaN and infinity may be some; false and true are 0 and 1. `length` of them where it is given. */
  numbers(key: string, length?: number): Float64Array<ArrayBuffer> {
    const value = this.#members.get(key);
    const numbers = value instanceof Float64Array ? value : doublesOf(value);
    if (numbers === undefined) throw damagedDocument(`${this.#name(key)} is no list of numbers`);
    if (length === undefined || numbers.length === length) return numbers;
    throw damagedDocument(`${this.#name(key)} has ${numbers.length} numbers instead of ${length}`);
  }

  /** As `numbers`, all of them integers from `least` to `most`. */
  integers(
    key: string,
    { least, most, length }: { least: number; most: number; length?: number },
  ): Int32Array<ArrayBuffer> {
    const numbers = this.numbers(key, length);
    if (!numbers.every((number) => Number.isInteger(number) && number >= least && number <= most)) {
      throw damagedDocument(`${this.#name(key)} holds a number that is not from ${least} to ${most}`);
    }
    return Int32Array.from(numbers);
  }

  #list(key: string): readonly Json[] {
    const value = this.#members.get(key);
    if (Array.isArray(value)) return value as readonly Json[];
    // an empty list counts as one of numbers
    if (ArrayBuffer.isView(value) && value.byteLength === 0) return [];
    throw damagedDocument(`${this.#name(key)} is no list`);
  }

  #name(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }
}

function doublesOf(value: Json | undefined): Float64Array<ArrayBuffer> | undefined {
  if (isNumbers(value)) return new Float64Array(value);
  if (!Array.isArray(value)) return undefined;
  const numbers = (value as readonly Json[]).map((entry) => (typeof entry === 'boolean' ? Number(entry) : entry));
  return numbers.every((entry) => typeof entry === 'number') ? Float64Array.from(numbers) : undefined;
}

function isNumbers(value: Json | undefined): value is Numbers {
  return ArrayBuffer.isView(value);
}

/** The document is well-formed and does not hold what its library writes. */
export function damagedDocument(what: string): ModelError {
  return new ModelError('LoadFailed', `${shown(what)}; the file is damaged, or is no model of XGBoost or LightGBM`);
}
