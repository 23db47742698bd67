// A fitted estimator as the pickle has it: its attributes, each checked for type and size when it is asked for.
import { ModelError } from '../model/errors.ts';
import type { ClassLabel } from '../model/model-data.ts';
import { arrayOf, elements, elementsOf, floatsOf, intOf, notAModel, numberOf } from '../formats/numpy.ts';
import { Instance, type NdArray, Tuple, type Value, described } from '../formats/pickle-value.ts';
import type { Part, PredictorPart, TransformerPart } from './estimator.ts';
import type { Reading } from './reading.ts';

const MAX_LABELS = 10_000;

export class Fitted {
  /** Class name without the module, such as "RandomForestClassifier". */
  readonly name: string;
  /** Module and class. */
  readonly path: string;
  readonly state: ReadonlyMap<Value, Value>;
  readonly reading: Reading;
  /** For each column of its input, the column of the request's row that it is a copy of, or -1 for a computed one. */
  readonly origins: readonly number[];

  constructor(instance: Instance, reading: Reading, origins: readonly number[]) {
    const { path } = instance.callable;
    this.path = path;
    this.name = path.slice(path.lastIndexOf('.') + 1);
    this.reading = reading;
    this.origins = origins;
    if (!(instance.state instanceof Map)) throw notAModel(`${this.name} without attributes`);
    this.state = instance.state;
  }

  /** Columns of its input. */
  get columns(): number {
    return this.origins.length;
  }

  /** Version of scikit-learn that wrote it, [0, 0] where it does not say. */
  get version(): readonly [major: number, minor: number] {
    const text = this.state.get('_sklearn_version');
    const found = /^(\d+)\.(\d+)/.exec(typeof text === 'string' ? text : '');
    return [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
  }

  isFrom(major: number, minor: number): boolean {
    const [ownMajor, ownMinor] = this.version;
    return ownMajor > major || (ownMajor === major && ownMinor >= minor);
  }

  has(name: string): boolean {
    return this.state.has(name);
  }

  /** Whether the attribute is there and not None. */
  isSet(name: string): boolean {
    return (this.state.get(name) ?? null) !== null;
  }

  value(name: string): Value {
    const value = this.state.get(name);
    if (value !== undefined) return value;
    if (name.endsWith('_')) throw this.unsupported(`is not fitted: call fit before saving it (it has no ${name})`);
    throw notAModel(`${this.name} without ${name}`);
  }

  int(name: string): number {
    return intOf(this.value(name));
  }

  /** A Python or numpy number. */
  number(name: string): number {
    return numberOf(this.value(name));
  }

  flag(name: string): boolean {
    const value = this.value(name);
    if (typeof value === 'boolean') return value;
    return intOf(value) !== 0;
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw notAModel(`${this.name}.${name} is ${described(value)} instead of text`);
    return value;
  }

  /** Text that has to be one of a few; another one is refused by name. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const text = this.text(name);
    const found = allowed.find((entry) => entry === text);
    if (found === undefined)
      throw this.unsupported(`with ${name}=${JSON.stringify(text.slice(0, 40))} is not supported`);
    return found;
  }

  /** Items of a list or tuple. */
  list(name: string): readonly Value[] {
    return itemsOf(this.value(name), `${this.name}.${name}`);
  }

  array(name: string): NdArray {
    return arrayOf(this.value(name));
  }

  /** Finite numbers, row-major, of exactly this shape. The result is a copy that can be handed to another thread. */
  floats(name: string, shape: readonly number[]): Float64Array<ArrayBuffer> {
    return this.finite(this.anyFloats(name, shape), name);
  }

  /** As `floats`, with infinity and NaN allowed. */
  anyFloats(name: string, shape: readonly number[]): Float64Array<ArrayBuffer> {
    const array = this.array(name);
    const same = array.shape.length === shape.length && shape.every((length, at) => array.shape[at] === length);
    if (!same)
      throw notAModel(`${this.name}.${name} of shape [${array.shape.join(', ')}] instead of [${shape.join(', ')}]`);
    this.reading.spend(elements(shape) * 8);
    return floatsOf(array);
  }

  finite<T extends Float64Array>(numbers: T, name: string): T {
    if (numbers.every((number) => Number.isFinite(number))) return numbers;
    throw notAModel(`${this.name}.${name} holds NaN or infinity`);
  }

  /** `classes_`: at least one, all different, representable exactly. */
  labels(name = 'classes_'): readonly ClassLabel[] {
    const labels = elementsOf(this.array(name));
    if (labels.length === 0 || labels.length > MAX_LABELS || new Set(labels).size !== labels.length) {
      throw notAModel(`${this.name}.${name} does not name different classes`);
    }
    const exact = labels.every((label) => typeof label !== 'number' || Math.abs(label) <= Number.MAX_SAFE_INTEGER);
    if (!exact) throw this.unsupported('has class labels beyond 2^53, NaN or infinite: use smaller numbers or text');
    return labels;
  }

  /** Another estimator among its attributes, given the same input unless `origins` says otherwise. */
  child(value: Value | undefined, origins: readonly number[] = this.origins): Fitted {
    return this.reading.fitted(value, origins);
  }

  /** The attributes of an object that is no estimator of its own, of one of these classes. */
  helper(name: string, paths: readonly string[]): Fitted {
    return this.helperOf(this.value(name), name, paths);
  }

  /** As `helper`, of an object anywhere; `what` names it in the message. */
  helperOf(value: Value | undefined, what: string, paths: readonly string[]): Fitted {
    if (value instanceof Instance && paths.includes(value.callable.path)) {
      return new Fitted(value, this.reading, this.origins);
    }
    throw this.damaged(`whose ${what} is ${described(value)}`);
  }

  part(value: Value | undefined, origins: readonly number[] = this.origins): Part {
    return this.reading.part(this.child(value, origins));
  }

  predictor(value: Value | undefined, origins: readonly number[] = this.origins): PredictorPart {
    return this.reading.predictor(this.child(value, origins));
  }

  transformer(value: Value | undefined, origins: readonly number[] = this.origins): TransformerPart {
    return this.reading.transformer(this.child(value, origins));
  }

  /** The estimator is sound and not for this server; `why` follows its name. */
  unsupported(why: string): ModelError {
    return new ModelError('UnsupportedModel', `${this.name} ${why}`);
  }

  damaged(why: string): ModelError {
    return notAModel(`${this.name} ${why}`);
  }
}

/** Items of a list or tuple. Throws ModelError; `what` names it there. */
export function itemsOf(value: Value | undefined, what: string): readonly Value[] {
  const items = value instanceof Tuple ? value.items : value;
  if (!Array.isArray(items)) throw notAModel(`${what} is ${described(value)} instead of a list`);
  return items as readonly Value[];
}
