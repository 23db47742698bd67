// Columns of HistGradientBoosting that hold categories: from the value in a row to the number that the trees' sets have for it.
import { arrayOf, elementsOf, floatsOf } from '../formats/numpy.ts';
import { Tuple, type Value } from '../formats/pickle-value.ts';
import { type Fitted, itemsOf } from './fitted.ts';
import type { Matrix } from './matrix.ts';

/** A column of categories, and its known ones. All others are treated as missing. */
export interface CategoryColumn {
  readonly column: number;
  /** Values in the row: numbers, or the numbers that stand for texts. */
  readonly known: Float64Array<ArrayBuffer>;
  /** Whether a category's number is its place in `known` (scikit-learn 1.4 and newer), or itself without fraction. */
  readonly encoded: boolean;
}

export interface Categories {
  readonly columns: readonly CategoryColumn[];
  /** For each column of the trees, the column of the row. */
  readonly order: readonly number[];
}

const MAX_CATEGORIES = 256;
const COLUMN_TRANSFORMER = 'sklearn.compose._column_transformer.ColumnTransformer';
const ORDINAL_ENCODER = 'sklearn.preprocessing._encoders.OrdinalEncoder';
/** What stands in a file beside the estimator's own names when there are categories. */
export const CATEGORY_NAMES: readonly string[] = [
  COLUMN_TRANSFORMER,
  ORDINAL_ENCODER,
  'sklearn.compose._column_transformer._RemainderColsList',
  'sklearn.preprocessing._function_transformer.FunctionTransformer',
  'sklearn.utils.validation.check_array',
  'functools.partial',
  'builtins.slice',
  'numpy.float64',
];

/** Reads which columns hold categories and which these are, and notes what the others hold. Throws ModelError. */
export function readCategories(fitted: Fitted): Categories {
  const all = Array.from({ length: fitted.columns }, (_, column) => column);
  const flags = fitted.isSet('is_categorical_') ? flagsOf(fitted, 'is_categorical_') : [];
  const chosen = all.filter((column) => flags[column] === 1);
  const others = all.filter((column) => flags[column] !== 1);
  fitted.reading.asNumbers(others.map((column) => fitted.origins[column] ?? -1));
  if (chosen.length === 0) return { columns: [], order: all };
  // from 1.4 on a transformer inside puts the categories first, and numbers them
  if (fitted.isSet('_preprocessor')) return { columns: encoded(fitted, chosen), order: [...chosen, ...others] };
  return { columns: plain(fitted, chosen), order: all };
}

function flagsOf(fitted: Fitted, name: string): Float64Array {
  return fitted.floats(name, [fitted.columns]);
}

/** Categories that are numbers already: those that the bins know. */
function plain(fitted: Fitted, chosen: readonly number[]): CategoryColumn[] {
  const thresholds = fitted.helper('_bin_mapper', [BIN_MAPPER]).list('bin_thresholds_');
  fitted.reading.asNumbers(chosen.map((column) => fitted.origins[column] ?? -1));
  return chosen.map((column) => {
    const known = floatsOf(arrayOf(thresholds[column])).map(Math.trunc);
    if (known.length > MAX_CATEGORIES || !known.every((value) => value >= 0 && value < MAX_CATEGORIES)) {
      throw fitted.damaged('with categories outside of 0 to 255');
    }
    return { column, known, encoded: false };
  });
}

export const BIN_MAPPER = 'sklearn.ensemble._hist_gradient_boosting.binning._BinMapper';

function encoded(fitted: Fitted, chosen: readonly number[]): CategoryColumn[] {
  const [first] = fitted.helper('_preprocessor', [COLUMN_TRANSFORMER]).list('transformers_');
  const [name, encoder] = first instanceof Tuple ? first.items : [];
  if (name !== 'encoder') throw fitted.damaged('with another preprocessor than its own');
  const categories = itemsOf(
    fitted.helperOf(encoder, 'encoder', [ORDINAL_ENCODER]).value('categories_'),
    'categories_',
  );
  if (categories.length !== chosen.length) throw fitted.damaged('with categories for other columns than its own');
  return chosen.map((column, at) => ({ column, known: knownIn(fitted, column, categories[at]), encoded: true }));
}

function knownIn(fitted: Fitted, column: number, value: Value | undefined): Float64Array<ArrayBuffer> {
  // a missing value stands last among them where training met one
  const known = elementsOf(arrayOf(value)).filter((category) => !Number.isNaN(category));
  if (known.length > MAX_CATEGORIES) throw fitted.damaged(`with ${known.length} categories in column ${column}`);
  const origin = fitted.origins[column] ?? -1;
  const texts = known.filter((category) => typeof category === 'string');
  if (texts.length === 0) {
    fitted.reading.asNumbers([origin]);
    return Float64Array.from(known, Number);
  }
  if (texts.length < known.length) throw fitted.unsupported(`has texts and numbers among the categories of a column`);
  return Float64Array.from(texts, (text) => fitted.reading.codeOf(origin, text));
}

/** A copy of the rows with the numbers of categories; NaN for those that are not known. */
export function encoderOf(columns: readonly CategoryColumn[]): (input: Matrix) => Float64Array {
  const encoders = columns.map(({ column, known, encoded: byPlace }) => ({ column, codeOf: codes(known, byPlace) }));
  return ({ values, rows, columns: width }) => {
    const made = new Float64Array(values);
    for (const { column, codeOf } of encoders) {
      for (let at = column; at < rows * width; at += width) made[at] = codeOf(made[at] ?? NaN);
    }
    return made;
  };
}

function codes(known: Float64Array, byPlace: boolean): (value: number) => number {
  const numbers = new Map([...known].map((value, place) => [value, byPlace ? place : value]));
  if (byPlace) return (value) => numbers.get(value) ?? NaN;
  return (value) => (value < 0 ? NaN : (numbers.get(Math.trunc(value)) ?? NaN));
}
