// Categories of a column: which number of a row stands for which of them. A text is its place in the vocabulary of the column of the request, a category that
// is a number is itself, None and NaN are a missing value.
import { arrayOf, elementOf, elementsOf } from '../formats/numpy.ts';
import { Global, Instance, type Value, described } from '../formats/pickle-value.ts';
import type { Fitted } from './fitted.ts';

/** A number that the file gives for a category: which is up to the encoder. */
export interface Lookup {
  /** Categories that are numbers, rising; empty where they are texts. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** For each of `numbers`, else for each number that stands for a text. UNKNOWN for no category. */
  readonly answers: Float64Array<ArrayBuffer>;
  readonly isText: boolean;
  /** For a missing value; UNKNOWN where it is no category. */
  readonly missing: number;
}

export const UNKNOWN = Infinity;

export type Category = string | number;

/** Names that stand where an encoder says what type its numbers have. */
export const DTYPES: readonly string[] = [
  ...['float16', 'float32', 'float64', 'number', 'object_', 'bool', 'bool_', 'generic', 'floating', 'integer'],
  ...['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'str_'],
]
  .map((name) => `numpy.${name}`)
  .concat(['builtins.float', 'builtins.int', 'builtins.bool', 'builtins.str']);

/** The cells of an array of texts, numbers or both: true and false are 1 and 0, None is NaN. Throws ModelError. */
export function cellsOf(value: Value | undefined): readonly Category[] {
  const array = arrayOf(value);
  const { data } = array;
  const cells =
    data instanceof Uint8Array ? elementsOf(array) : data.map((cell) => (cell === null ? NaN : elementOf(cell)));
  return cells.map((cell) => (typeof cell === 'boolean' ? Number(cell) : cell));
}

/** `categories_`: for each column those that were known in training. */
export function categoriesOf(fitted: Fitted): readonly (readonly Category[])[] {
  const lists = fitted.list('categories_').map(cellsOf);
  if (lists.length === fitted.columns) return lists;
  throw fitted.damaged(`with categories of ${lists.length} columns for ${fitted.columns}`);
}

/** Refuses numbers of less than 64 bits, in which scikit-learn would go on to compute. */
export function checkDtype(fitted: Fitted): void {
  const dtype = fitted.value('dtype');
  const name = typeof dtype === 'string' ? dtype : dtype instanceof Global ? dtype.path : nameInside(dtype);
  if (/(^|\.)(f[24]|float16|float32|half|single)$/.test(name)) {
    throw fitted.unsupported(`with dtype=${name.replace('numpy.', '')} is not supported: leave it at float64`);
  }
}

/** Of a numpy.dtype object. */
function nameInside(dtype: Value): string {
  const [name] = dtype instanceof Instance ? dtype.args : [];
  return typeof name === 'string' ? name : described(dtype);
}

/** Columns of one encoder of which `answerOf` tells what becomes of each category. Throws ModelError. */
export function lookupOf(
  fitted: Fitted,
  column: number,
  categories: readonly Category[],
  answerOf: (place: number) => number,
): Lookup {
  const origin = fitted.origins[column];
  const known = categories.map((category, place) => ({ category, answer: answerOf(place) }));
  const missing = known.filter(({ category }) => Number.isNaN(category));
  const texts = known.filter(({ category }) => typeof category === 'string');
  if (missing.length > 1) throw fitted.unsupported('has both None and NaN as categories: use one of them');
  if (texts.length > 0 && texts.length + missing.length < known.length) {
    throw fitted.unsupported('has texts and numbers as categories of one column: use one of them');
  }
  if (new Set(categories).size < categories.length) throw fitted.damaged('with the same category twice');
  fitted.reading.spend(known.length * 16);
  const found = { isText: texts.length > 0, missing: missing[0]?.answer ?? UNKNOWN };
  if (found.isText) return { ...found, numbers: new Float64Array(0), answers: byCode(fitted, origin, texts) };
  if (origin !== undefined) fitted.reading.asNumbers([origin]);
  const numbers = known
    .flatMap(({ category, answer }) => (typeof category === 'number' ? [{ category, answer }] : []))
    .filter(({ category }) => !Number.isNaN(category))
    .toSorted((a, b) => a.category - b.category);
  return {
    ...found,
    numbers: Float64Array.from(numbers, ({ category }) => category),
    answers: Float64Array.from(numbers, ({ answer }) => answer),
  };
}

interface Known {
  readonly category: Category;
  readonly answer: number;
}

function byCode(fitted: Fitted, origin: number | undefined, texts: readonly Known[]): Float64Array<ArrayBuffer> {
  const codes = texts.map(({ category, answer }) => ({
    code: fitted.reading.codeOf(origin, String(category)),
    answer,
  }));
  const length = codes.reduce((most, { code }) => Math.max(most, code + 1), 0);
  fitted.reading.spend(length * 8);
  const answers = new Float64Array(length).fill(UNKNOWN);
  for (const { code, answer } of codes) answers[code] = answer;
  return answers;
}

/** What a cell's category becomes; UNKNOWN for no category. */
export function answerTo({ isText, numbers, answers, missing }: Lookup, cell: number): number {
  if (Number.isNaN(cell)) return missing;
  if (isText) return answers[cell] ?? UNKNOWN;
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < cell) low = middle + 1;
    else high = middle;
  }
  return numbers[low] === cell ? (answers[low] ?? UNKNOWN) : UNKNOWN;
}
