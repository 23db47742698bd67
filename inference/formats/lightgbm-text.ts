// LightGBM's text format: lines of `key=value`, first of the model, then of each tree, then what training noted. Numbers are written with 17 digits, so they read back
// to the same bits.
import { ModelError } from '../model/errors.ts';
import { ByteReader, damaged, shown } from './byte-reader.ts';
import { type Allowance, type Json, Section } from './document.ts';
import { readJson } from './json.ts';

export interface LightgbmText {
  readonly header: Section;
  readonly trees: readonly Section[];
  /** For each column of the training table that held categories: these, in the order of their numbers. */
  readonly pandasCategorical: Json;
}

/** Keys of a tree whose values are lists of numbers, apart by blanks. */
const LISTS: ReadonlySet<string> = new Set([
  'split_feature',
  'threshold',
  'decision_type',
  'left_child',
  'right_child',
  'leaf_value',
  'leaf_count',
  'internal_count',
  'cat_boundaries',
  'cat_threshold',
]);
const CATEGORIES = 'pandas_categorical:';
const VERSIONS = ['v3', 'v4'];

/** Reads a text that starts with the line `tree`. Throws ModelError. */
export function readLightgbmText(text: string, allowance: Allowance): LightgbmText {
  const lines = new Lines(text);
  if (lines.next() !== 'tree') throw damaged(0, 'no LightGBM model');
  const header = readBlock(lines, allowance, 'the model');
  const version = header.text('version');
  if (!VERSIONS.includes(version)) {
    throw new ModelError(
      'UnsupportedModel',
      `LightGBM's format ${shown(version)} is not supported: save the model again with LightGBM 3.3 or newer`,
    );
  }
  const trees: Section[] = [];
  let line = lines.next();
  while (line?.startsWith('Tree=') === true) {
    if (line !== `Tree=${trees.length}`) throw damaged(lines.offset, 'a tree out of order');
    trees.push(readBlock(lines, allowance, `tree ${trees.length}`));
    line = lines.next();
  }
  // a file that is cut could have lost trees
  if (line !== 'end of trees') throw damaged(lines.offset, 'trees without an end');
  return { header, trees, pandasCategorical: readCategories(lines, allowance) };
}

/** Lines that are not empty. */
class Lines {
  readonly #text: string;
  /** In characters. */
  offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next one, which is taken; undefined at the end. */
  next(): string | undefined {
    while (this.offset < this.#text.length) {
      const line = this.#line();
      if (line !== '') return line;
    }
    return undefined;
  }

  /** The next one, also when it is empty. */
  #line(): string {
    const end = this.#text.indexOf('\n', this.offset);
    const line = this.#text.slice(this.offset, end < 0 ? this.#text.length : end);
    this.offset = end < 0 ? this.#text.length : end + 1;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  /** Whether the next line is empty, or there is none. */
  get atBreak(): boolean {
    const next = this.#text.slice(this.offset, this.offset + 2);
    return next === '' || next.startsWith('\n') || next === '\r\n';
  }
}

/** Lines up to an empty one. */
function readBlock(lines: Lines, allowance: Allowance, name: string): Section {
  const members = new Map<string, Json>();
  allowance.enter();
  while (!lines.atBreak) {
    const line = lines.next() ?? '';
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    const value = equals < 0 ? '' : line.slice(equals + 1);
    if (members.has(key)) throw damaged(lines.offset, `${shown(key)} twice`);
    allowance.items(2);
    members.set(key, LISTS.has(key) ? numbersOf(value, allowance) : value);
  }
  allowance.leave();
  return new Section(members, name);
}

/** Counted before anything is made of them: the parts of a long line would take many times its size. */
function numbersOf(value: string, allowance: Allowance): Float64Array<ArrayBuffer> {
  let count = value === '' ? 0 : 1;
  for (let at = value.indexOf(' '); at >= 0; at = value.indexOf(' ', at + 1)) count += 1;
  allowance.items(count);
  const numbers = new Float64Array(count);
  let start = 0;
  for (let at = 0; at < count; at += 1) {
    const end = value.indexOf(' ', start);
    numbers[at] = numberOf(value.slice(start, end < 0 ? value.length : end));
    start = end + 1;
  }
  return numbers;
}

/** NaN for what is no number, which no list may hold. */
function numberOf(text: string): number {
  if (text === '') return NaN;
  if (text === 'inf') return Infinity;
  return text === '-inf' ? -Infinity : Number(text);
}

/** What stands behind the trees: nothing of it is needed but the categories. */
function readCategories(lines: Lines, allowance: Allowance): Json {
  let line = lines.next();
  while (line !== undefined && line !== 'end of parameters') line = lines.next();
  // a file that is cut would have lost its categories
  if (line === undefined) throw damaged(lines.offset, 'parameters without an end');
  line = lines.next();
  if (line?.startsWith(CATEGORIES) !== true) return null;
  return readJson(new ByteReader(new TextEncoder().encode(line.slice(CATEGORIES.length))), allowance);
}
