// OneHotEncoder and OrdinalEncoder of scikit-learn.
import { arrayOf, elementOf, floatsOf, intOf } from '../formats/numpy.ts';
import { Global, Instance, type Value } from '../formats/pickle-value.ts';
import { ModelInputError } from '../model/errors.ts';
import { DTYPES, type Lookup, UNKNOWN, answerTo, categoriesOf, checkDtype, lookupOf } from './categories.ts';
import { checkNumbers } from './matrix.ts';
import type { Definition, TransformerPart } from './estimator.ts';
import type { Fitted } from './fitted.ts';
import type { Matrix } from './matrix.ts';

/** A column of one encoder. */
interface EncodedColumn {
  readonly lookup: Lookup;
  /** For a category that training has not seen; UNKNOWN: the row is refused. */
  readonly unknown: number;
}

export interface OneHotPart extends TransformerPart {
  readonly kind: 'one-hot';
  /** A category is the place of its 1 among the outputs, -1 for none. */
  readonly encoded: readonly EncodedColumn[];
}

export interface OrdinalPart extends TransformerPart {
  readonly kind: 'ordinal';
  /** A category is its number. */
  readonly encoded: readonly EncodedColumn[];
}

const NONE = -1;
const MODULE = 'sklearn.preprocessing._encoders';

export const oneHot: Definition<OneHotPart> = {
  kind: 'one-hot',
  names: [`${MODULE}.OneHotEncoder`],
  inert: DTYPES,
  takesText: true,
  read: readOneHot,
  compile: (part) => ({ transform: (input) => ones(part, input) }),
};

export const ordinal: Definition<OrdinalPart> = {
  kind: 'ordinal',
  names: [`${MODULE}.OrdinalEncoder`],
  inert: DTYPES,
  takesText: true,
  read: readOrdinal,
  compile: ({ encoded }) => ({
    transform: (input) => {
      const values = new Float64Array(input.values.length);
      eachAnswer(encoded, input, (answer, at) => void (values[at] = answer));
      return { ...input, values };
    },
  }),
};

function ones({ encoded, outputs }: OneHotPart, input: Matrix): Matrix {
  const values = new Float64Array(input.rows * outputs);
  eachAnswer(encoded, input, (place, at) => {
    if (place !== NONE) values[Math.floor(at / input.columns) * outputs + place] = 1;
  });
  return { values, rows: input.rows, columns: outputs };
}

/** Calls `use` with what becomes of each cell. Throws ModelInputError for a category that is refused. */
function eachAnswer(
  encoded: readonly EncodedColumn[],
  { values, columns }: Matrix,
  use: (answer: number, at: number) => void,
): void {
  checkNumbers(values, { missing: true, dtype: 'float64' });
  for (let at = 0; at < values.length; at += 1) {
    const column = encoded[at % columns];
    if (column === undefined) continue;
    const cell = values[at] ?? 0;
    const known = answerTo(column.lookup, cell);
    const answer = known === UNKNOWN ? column.unknown : known;
    if (answer === UNKNOWN) throw unknownCategory(column.lookup, cell, at % columns);
    use(answer, at);
  }
}

/** scikit-learn's words; which text it was is not known any more. */
function unknownCategory({ isText }: Lookup, cell: number, column: number): ModelInputError {
  const shown = isText && !Number.isNaN(cell) ? '' : ` [${Number.isNaN(cell) ? 'nan' : String(cell)}]`;
  return new ModelInputError(`Found unknown categories${shown} in column ${column} during transform`);
}

function readOneHot(fitted: Fitted): OneHotPart {
  checkDtype(fitted);
  const handling = fitted.oneOf('handle_unknown', ['error', 'ignore', 'infrequent_if_exist', 'warn']);
  // 1.6 and 1.7 warn of the infrequent category, and give zeros
  const joinsRare = handling === 'infrequent_if_exist' || (handling === 'warn' && fitted.isFrom(1, 8));
  const dropped = dropsOf(fitted);
  let outputs = 0;
  const encoded = categoriesOf(fitted).map((categories, column) => {
    const groups = groupsOf(fitted, column, categories.length);
    const drop = dropped[column];
    if (drop !== undefined && drop >= groups.count) throw fitted.damaged('that drops a category that it has not');
    const first = outputs;
    const placeOf = (group: number) => first + group - (drop !== undefined && group > drop ? 1 : 0);
    const place = (group: number) => (group === drop ? NONE : placeOf(group));
    outputs += groups.count - (drop === undefined ? 0 : 1);
    const infrequent = joinsRare && groups.infrequent !== undefined ? place(groups.infrequent) : NONE;
    const lookup = lookupOf(fitted, column, categories, (at) => place(groups.of(at)));
    return { lookup, unknown: handling === 'error' ? UNKNOWN : infrequent };
  });
  return { kind: 'one-hot', modelType: fitted.name, outputs, encoded };
}

interface Groups {
  /** Number of groups. */
  readonly count: number;
  /** The group of a category: its own place unless rare ones are put together. */
  readonly of: (place: number) => number;
  /** The group of rare categories, where there is one. */
  readonly infrequent?: number;
}

/** `_default_to_infrequent_mappings`: rare categories share the last group. The last category is left out where it is a missing value on its own. */
function groupsOf(fitted: Fitted, column: number, categories: number, alone = 0): Groups {
  const enabled = fitted.has('_infrequent_enabled') && fitted.flag('_infrequent_enabled');
  const mapping = enabled ? (fitted.list('_default_to_infrequent_mappings')[column] ?? null) : null;
  const count = categories - alone;
  if (mapping === null) return { count, of: (place) => place };
  const groups = floatsOf(arrayOf(mapping));
  const last = groups.reduce((most, group) => Math.max(most, group), 0);
  const whole = groups.every((group) => Number.isInteger(group) && group >= 0);
  if (groups.length !== count || !whole || last >= count) throw fitted.damaged('whose rare categories are not its own');
  return { count: last + 1, of: (place) => groups[place] ?? NONE, infrequent: last };
}

/** For each column the group that gets no output. */
function dropsOf(fitted: Fitted): readonly (number | undefined)[] {
  const name = '_drop_idx_after_grouping';
  if (!fitted.isSet(name)) return [];
  const { data } = arrayOf(fitted.value(name));
  const drops = data instanceof Uint8Array ? [...floatsOf(arrayOf(fitted.value(name)))] : data.map(dropOf);
  if (drops.length === fitted.columns && drops.every((drop) => drop === undefined || drop >= 0)) return drops;
  throw fitted.damaged('that drops a category that it has not');
}

function dropOf(value: Value): number | undefined {
  return value === null ? undefined : intOf(value);
}

function readOrdinal(fitted: Fitted): OrdinalPart {
  checkDtype(fitted);
  const refuses = fitted.oneOf('handle_unknown', ['error', 'use_encoded_value']) === 'error';
  const unknown = refuses ? UNKNOWN : numberIn(fitted, 'unknown_value');
  const missing = numberIn(fitted, 'encoded_missing_value');
  const encoded = categoriesOf(fitted).map((categories, column) => {
    // None is a category like others, NaN is always the last
    const alone = hasNan(fitted, column) ? 1 : 0;
    const groups = groupsOf(fitted, column, categories.length, alone);
    const numberOf = (at: number) => (alone === 1 && at === categories.length - 1 ? missing : groups.of(at));
    return { lookup: lookupOf(fitted, column, categories, numberOf), unknown };
  });
  return { kind: 'ordinal', modelType: fitted.name, outputs: fitted.columns, encoded };
}

function hasNan(fitted: Fitted, column: number): boolean {
  const indices = fitted.value('_missing_indices');
  if (indices instanceof Map) return indices.has(column);
  throw fitted.damaged('without _missing_indices');
}

/** A number or NaN. */
function numberIn(fitted: Fitted, name: string): number {
  const value = fitted.value(name);
  const number = value instanceof Global || value instanceof Instance ? elementOf(value) : value;
  if (typeof number === 'number' && Math.abs(number) !== Infinity) return number;
  throw fitted.damaged(`whose ${name} is no number`);
}
