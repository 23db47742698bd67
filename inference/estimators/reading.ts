// One model file being read: what may be in it, what it may cost, and the texts that its columns hold.
import { ModelError } from '../model/errors.ts';
import { arrayOf, elementsOf, notAModel } from '../formats/numpy.ts';
import { Instance, type Value, described } from '../formats/pickle-value.ts';
import {
  type Definition,
  type InputNotes,
  type Part,
  type PredictorPart,
  type TransformerPart,
  isPredictorPart,
} from './estimator.ts';
import { Fitted } from './fitted.ts';

const MAX_DEPTH = 16;
const MAX_FEATURES = 100_000;
const MAX_TEXTS = 1_000_000;
/** Estimators inside of one another; a file can name the same one many times. */
const MAX_PARTS = 10_000;

export class Reading {
  readonly #definitions: ReadonlyMap<string, Definition>;
  /** Most bytes of the finished arrays. */
  readonly maxBytes: number;
  readonly #texts = new Map<number, Map<string, number>>();
  readonly #numbers = new Set<number>();
  /** By the attributes of the estimator that told. */
  readonly #notes = new Map<Fitted['state'], InputNotes>();
  #bytes = 0;
  #parts = 0;
  #countOfTexts = 0;
  #depth = 0;

  constructor(definitions: ReadonlyMap<string, Definition>, maxBytes: number) {
    this.#definitions = definitions;
    this.maxBytes = maxBytes;
  }

  /** The texts of each column that takes text: a text's number is its place. */
  get texts(): ReadonlyMap<number, readonly string[]> {
    return new Map([...this.#texts].map(([column, codes]) => [column, [...codes.keys()]]));
  }

  /** Notes columns of the request's row that are read as numbers; those below 0 were computed. */
  asNumbers(columns: readonly number[]): void {
    for (const column of columns) if (column >= 0) this.#numbers.add(column);
  }

  /** Columns that nobody reads, such as an id that a ColumnTransformer drops. Throws ModelError where one is both text and a number. */
  unused(columns: number): readonly number[] {
    for (const column of this.#texts.keys()) {
      if (this.#numbers.has(column)) throw notAModel(`column ${column} is read as text and as a number`);
    }
    const all = Array.from({ length: columns }, (_, column) => column);
    return all.filter((column) => !this.#texts.has(column) && !this.#numbers.has(column));
  }

  /** Counts memory of finished arrays, while reading: a small file can name the same large array many times. Throws ModelError. */
  spend(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.maxBytes) return;
    throw new ModelError('ArtifactTooLarge', `the model takes more than ${this.maxBytes} bytes; use a smaller one`);
  }

  /** The number that stands for a text in a column of the request's row; -1 as column is one that was computed. Throws ModelError. */
  codeOf(column: number | undefined, text: string): number {
    if (column === undefined || column < 0) {
      throw new ModelError('UnsupportedModel', 'text categories in a column that another step has computed');
    }
    const codes = this.#texts.get(column) ?? new Map<string, number>();
    this.#texts.set(column, codes);
    const known = codes.get(text);
    if (known !== undefined) return known;
    this.#countOfTexts += 1;
    if (this.#countOfTexts > MAX_TEXTS) throw new ModelError('ArtifactTooLarge', `more than ${MAX_TEXTS} categories`);
    codes.set(text, codes.size);
    return codes.size - 1;
  }

  /** The estimator behind a value. Throws ModelError for one that no definition reads. */
  fitted(value: Value | undefined, origins: readonly number[]): Fitted {
    if (!(value instanceof Instance) || !this.#definitions.has(value.callable.path)) throw this.#notRead(value);
    if (origins.length > MAX_FEATURES) throw new ModelError('ArtifactTooLarge', `more than ${MAX_FEATURES} columns`);
    this.spend(origins.length * 8);
    return new Fitted(value, this, origins);
  }

  /** The outermost estimator: its input is the request's row. */
  root(value: Value): Fitted {
    const columns = this.#inputOf(this.fitted(value, []));
    return this.fitted(
      value,
      Array.from({ length: columns }, (_, column) => column),
    );
  }

  #inputOf(fitted: Fitted): number {
    const first = this.#first(fitted);
    const columns = this.#notesOf(first)?.columns ?? first.int('n_features_in_');
    if (columns < 1 || columns > MAX_FEATURES) throw notAModel(`${fitted.name} of ${columns} features`);
    return columns;
  }

  /** The first estimator on the way of the input that notes what it was given. */
  #first(fitted: Fitted, depth = 0): Fitted {
    const definition = this.#definitions.get(fitted.path);
    if (fitted.has('n_features_in_') || definition?.firstOf === undefined || depth > MAX_DEPTH) return fitted;
    return this.#first(definition.firstOf(fitted), depth + 1);
  }

  #notesOf(fitted: Fitted): InputNotes | undefined {
    const inputOf = this.#definitions.get(fitted.path)?.inputOf;
    if (inputOf === undefined) return undefined;
    const notes = this.#notes.get(fitted.state) ?? inputOf(fitted);
    this.#notes.set(fitted.state, notes);
    return notes;
  }

  /** Names of the columns, when it was fitted on a table that has them. */
  columnNames(fitted: Fitted): readonly string[] | undefined {
    const first = this.#first(fitted);
    const notes = this.#notesOf(first);
    if (notes !== undefined) return notes.names;
    if (!first.isSet('feature_names_in_')) return undefined;
    const names = elementsOf(arrayOf(first.value('feature_names_in_'))).filter((name) => typeof name === 'string');
    if (names.length === fitted.columns) return names;
    throw notAModel(`feature_names_in_ with ${names.length} names for ${fitted.columns} features`);
  }

  predictor(fitted: Fitted): PredictorPart {
    const part = this.part(fitted);
    if (isPredictorPart(part)) return part;
    throw fitted.unsupported('does not predict: save a pipeline that ends in a classifier or regressor');
  }

  transformer(fitted: Fitted): TransformerPart {
    const part = this.part(fitted);
    if (!isPredictorPart(part)) return part;
    throw fitted.unsupported('stands where a transformer is needed');
  }

  part(fitted: Fitted): Part {
    const definition = this.#definitions.get(fitted.path);
    if (definition === undefined) throw fitted.unsupported('is not supported');
    if (definition.takesText !== true) this.asNumbers(fitted.origins);
    this.#depth += 1;
    this.#parts += 1;
    if (this.#depth > MAX_DEPTH || this.#parts > MAX_PARTS) throw notAModel('estimators nested too deeply');
    const part = definition.read(fitted);
    this.#depth -= 1;
    return part;
  }

  #notRead(value: Value | undefined): ModelError {
    return new ModelError(
      'UnsupportedModel',
      `the file holds ${described(value)}: save the fitted estimator itself, one of those in docs/models.md, or serve the file with an image of your own (runtime.image)`,
    );
  }
}
