// JSON as Python's json.loads reads it: NaN and Infinity are numbers, objects keep the order of their keys, and an error has Python's words and
// position. JSON.parse is four times as fast and right for nearly every body, so this reader runs only for what JSON.parse refuses or reorders.

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
  /** The keys in the order of the text, where a JavaScript object would move them ("10" before "apple"). */
  readonly [KEY_ORDER]?: readonly string[];
}

export const KEY_ORDER = Symbol('key order');

/** Python's recursion limit, less the frames that the service itself uses. */
export const MAX_DEPTH = 960;

/** Not JSON. `position` counts code points as Python does. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly position: number;

  constructor(message: string, text: string, offset: number) {
    super(message);
    this.position = codePointsIn(text, offset);
  }
}

/** Nested too deeply: Python raises RecursionError, which its service answers as an unreadable body. */
export class JsonDepthError extends Error {
  override readonly name = 'JsonDepthError';
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const PLAIN = /[ !#-[\]-\uffff]*/y; // all but '"', '\' and control characters
const SPACE = /[ \t\n\r]*/y;
const CONSTANTS: readonly (readonly [string, JsonValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
];
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Throws JsonError, or JsonDepthError beyond 960 levels. */
export function parsePythonJson(text: string): JsonValue {
  return new Reader(text).document();
}

/** The keys of an object in the order in which the text had them. */
export function keysInOrder(object: JsonObject): readonly string[] {
  return object[KEY_ORDER] ?? Object.keys(object);
}

/** Whether JavaScript lists this key before the others, whatever the text's order: an array index. */
export function isReordered(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 && /^(?:0|[1-9][0-9]{0,9})$/.test(key);
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    this.#skipSpace();
    const value = this.#value();
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw this.#error('Extra data');
    return value;
  }

  #value(): JsonValue {
    const start = this.#text[this.#at];
    if (start === '"') return this.#string();
    if (start === '{') return this.#nested(() => this.#object());
    if (start === '[') return this.#nested(() => this.#array());
    const number = this.#match(NUMBER);
    if (number !== '') return Number(number);
    for (const [word, value] of CONSTANTS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    throw this.#error('Expecting value');
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new JsonDepthError(`more than ${MAX_DEPTH} levels`);
    this.#at += 1;
    this.#skipSpace();
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    if (this.#take(']')) return items;
    for (;;) {
      items.push(this.#value());
      this.#skipSpace();
      if (this.#take(']')) return items;
      this.#comma();
    }
  }

  #object(): JsonValue {
    const members = new Map<string, JsonValue>();
    let reordered = false;
    if (this.#take('}')) return {};
    for (;;) {
      if (this.#text[this.#at] !== '"') throw this.#error('Expecting property name enclosed in double quotes');
      const key = this.#string();
      this.#skipSpace();
      if (!this.#take(':')) throw this.#error("Expecting ':' delimiter");
      this.#skipSpace();
      members.set(key, this.#value());
      reordered ||= isReordered(key);
      this.#skipSpace();
      if (this.#take('}')) return objectOf(members, reordered);
      this.#comma();
    }
  }

  #comma(): void {
    if (!this.#take(',')) throw this.#error("Expecting ',' delimiter");
    this.#skipSpace();
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#match(PLAIN);
      if (this.#take('"')) return value;
      if (this.#at >= this.#text.length) throw this.#error('Unterminated string starting at', start);
      if (!this.#take('\\')) throw this.#error('Invalid control character at');
      value += this.#escape(start);
    }
  }

  #escape(start: number): string {
    const letter = this.#text[this.#at];
    if (letter === undefined) throw this.#error('Unterminated string starting at', start);
    this.#at += 1;
    if (letter === 'u') return this.#unicode();
    const plain = ESCAPES[letter];
    if (plain === undefined) throw this.#error('Invalid \\escape', this.#at - 2);
    return plain;
  }

  #unicode(): string {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('Invalid \\uXXXX escape', this.#at - 1);
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #error(message: string, offset = this.#at): JsonError {
    return new JsonError(message, this.#text, offset);
  }
}

function objectOf(members: ReadonlyMap<string, JsonValue>, reordered: boolean): JsonObject {
  // fromEntries defines properties, so that "__proto__" is a key like any other.
  const object: JsonObject = Object.fromEntries(members);
  if (reordered) Object.defineProperty(object, KEY_ORDER, { value: [...members.keys()] });
  return object;
}

function codePointsIn(text: string, end: number): number {
  let count = 0;
  for (let at = 0; at < end; at += 1) {
    const pair = (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (pair) at += 1;
    count += 1;
  }
  return count;
}
