// SimpleImputer of scikit-learn: missing values are filled in, in columns of numbers and of texts.
import { floatsOf } from '../formats/numpy.ts';
import { Global, type Value } from '../formats/pickle-value.ts';
import { checkFiniteInput, checkNanInput } from './algebra.ts';
import { type Category, cellsOf } from './categories.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

export interface ImputerPart extends TransformerPart {
  readonly kind: 'imputer';
  readonly columns: readonly ImputedColumn[];
  /** Places of columns for which a 1 follows where their value is missing. */
  readonly indicated: readonly number[];
  /** Whether NaN may come: where another number stands for what is missing, it may not. */
  readonly acceptsNan: boolean;
}

interface ImputedColumn {
  /** Its place in the input. */
  readonly place: number;
  /** What stands for a missing value: NaN, another number, or the number of a text. */
  readonly missing: number;
  /** Absent: the column is left out. */
  readonly fill?: number;
}

const INDICATOR = 'sklearn.impute._base.MissingIndicator';
const PANDAS_NA = 'pandas._libs.missing.NA';
const STRATEGIES = ['mean', 'median', 'most_frequent', 'constant'] as const;
const LARGEST = 1e100;

export const imputer: Definition<ImputerPart> = {
  kind: 'imputer',
  names: ['sklearn.impute._base.SimpleImputer'],
  inert: [INDICATOR, PANDAS_NA],
  takesText: true,
  read: readImputer,
  compile: (part) => ({ transform: (input) => imputed(part, input) }),
};

function imputed({ columns, indicated, acceptsNan, outputs }: ImputerPart, input: Matrix): Matrix {
  (acceptsNan ? checkNanInput : checkFiniteInput)(input);
  const values = new Float64Array(input.rows * outputs);
  const isMissing = ({ missing }: ImputedColumn, cell: number) =>
    Number.isNaN(missing) ? Number.isNaN(cell) : cell === missing;
  const kept = columns.filter(({ fill }) => fill !== undefined);
  const marked = columns.filter(({ place }) => indicated.includes(place));
  for (let row = 0; row < input.rows; row += 1) {
    const cellOf = (place: number) => input.values[row * input.columns + place] ?? 0;
    let at = row * outputs;
    for (const column of kept) {
      const cell = cellOf(column.place);
      values[at] = isMissing(column, cell) ? (column.fill ?? 0) : cell;
      at += 1;
    }
    for (const column of marked) {
      values[at] = isMissing(column, cellOf(column.place)) ? 1 : 0;
      at += 1;
    }
  }
  return { values, rows: input.rows, columns: outputs };
}

function readImputer(fitted: Fitted): ImputerPart {
  const strategy = fitted.oneOf('strategy', STRATEGIES);
  const missing = missingOf(fitted);
  const statistics = cellsOf(fitted.value('statistics_'));
  if (statistics.length !== fitted.columns) throw fitted.damaged('with statistics of other columns');
  const keepsEmpty = fitted.flag('keep_empty_features') || (strategy === 'constant' && !fitted.isFrom(1, 8));
  const columns = statistics.map((fill, place) => columnOf(fitted, place, { fill, missing, keepsEmpty }));
  const kept = columns.filter(({ fill }) => fill !== undefined);
  const indicated = indicatedOf(fitted);
  return {
    kind: 'imputer',
    modelType: fitted.name,
    outputs: kept.length + indicated.length,
    origins: [...kept.map(({ place }) => fitted.origins[place] ?? -1), ...indicated.map(() => -1)],
    columns,
    indicated,
    acceptsNan: missing === null || Number.isNaN(missing),
  };
}

/** What stands for a missing value in training: pandas' NA is NaN to us, as null is. */
function missingOf(fitted: Fitted): Value {
  const value = fitted.value('missing_values');
  return value instanceof Global && value.path === PANDAS_NA ? NaN : value;
}

interface Filling {
  readonly fill: Category;
  readonly missing: Value;
  /** Whether a column stays for which training has found no value. */
  readonly keepsEmpty: boolean;
}

function columnOf(fitted: Fitted, place: number, { fill, missing, keepsEmpty }: Filling): ImputedColumn {
  const origin = fitted.origins[place] ?? -1;
  if (typeof fill === 'number') {
    const isEmpty = Number.isNaN(fill) && !keepsEmpty;
    if (!isEmpty) fitted.reading.asNumbers([origin]);
    if (Math.abs(fill) > LARGEST) throw fitted.damaged('that fills in a number beyond 1e100');
    return { place, missing: markOf(fitted, missing), ...(!isEmpty && { fill }) };
  }
  const mark = typeof missing === 'string' ? fitted.reading.codeOf(origin, missing) : NaN;
  return { place, missing: mark, fill: fitted.reading.codeOf(origin, fill) };
}

/** The number that stands for a missing value; None is NaN as well. */
function markOf(fitted: Fitted, missing: Value): number {
  if (missing === null) return NaN;
  if (typeof missing === 'string')
    throw fitted.unsupported('fills in numbers where it finds a text: clean the data first');
  return fitted.number('missing_values');
}

/** Columns of the MissingIndicator, where there is one. */
function indicatedOf(fitted: Fitted): readonly number[] {
  if (!fitted.flag('add_indicator')) return [];
  const indicator = fitted.helper('indicator_', [INDICATOR]);
  const places = [...floatsOf(indicator.array('features_'))];
  const sound = places.every(
    (place, at) => Number.isInteger(place) && place > (places[at - 1] ?? -1) && place < fitted.columns,
  );
  if (sound) return places;
  throw fitted.damaged('that indicates columns that it has not');
}
