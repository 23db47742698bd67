// A stack machine for Python pickles that executes nothing: names stay names, calls stay records. Opcodes as in Python's pickletools.
import { type ByteReader, damaged } from './byte-reader.ts';
import { ModelError } from '../model/errors.ts';
import { mayBeCalled, mayBeInstantiated, roleOf } from './globals.ts';
import { Global, Instance, Tuple, type Value, described } from './pickle-value.ts';

/** What the pickles of one file share. */
export interface PickleRun {
  readonly reader: ByteReader;
  /** Names of classes that the file may use beside numpy's and joblib's. */
  readonly estimators: ReadonlySet<string>;
  /** Called after state was given to an object; what it returns takes the object's place (joblib's arrays). */
  readonly afterBuild: (built: Instance, run: PickleRun) => Value;
  opcodes: number;
  nested: number;
}

/** Stack, marks and memo of one pickle. */
export class PickleMachine {
  readonly run: PickleRun;
  result: Value | undefined;
  readonly #stack: Value[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Value>();

  constructor(run: PickleRun) {
    this.run = run;
  }

  get reader(): ByteReader {
    return this.run.reader;
  }

  damaged(what: string): ModelError {
    return damaged(this.reader.offset, what);
  }

  push(value: Value): void {
    this.#stack.push(value);
  }

  pop(): Value {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  /** The topmost value; it cannot be one from below the last mark. */
  top(): Value {
    const fence = this.#marks.at(-1) ?? 0;
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length <= fence) throw this.damaged('the stack is empty');
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Everything above the last mark, which is removed. */
  popMark(): Value[] {
    const from = this.#marks.pop();
    if (from === undefined) throw this.damaged('there is no mark');
    return this.#stack.splice(from);
  }

  /** POP takes a mark away when there is nothing above it. */
  drop(): void {
    const fence = this.#marks.at(-1);
    if (fence !== undefined && fence === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  put(index: number): void {
    this.#memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.damaged(`memo ${index} is empty`);
    this.push(value);
  }

  global(module: Value, name: Value): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.damaged('a name that is not text');
    const path = `${module}.${name}`;
    this.push(new Global(roleOf(path, this.run.estimators, this.reader.offset), path));
  }

  /** REDUCE: recorded only, and only for the names that a model needs. */
  reduce(callable: Value, args: Value): void {
    if (!(callable instanceof Global) || !mayBeCalled(callable.role)) throw this.#notCallable(callable);
    if (!(args instanceof Tuple)) throw this.damaged('arguments that are not a tuple');
    if (callable.role === 'reconstructor') this.instantiate(args.items[0] ?? null, new Tuple([]));
    else if (callable.role === 'dictionary') this.push(new Map());
    else this.push(new Instance(callable, args.items));
  }

  /** NEWOBJ: an object of a class, without calling its constructor. */
  instantiate(type: Value, args: Value): void {
    if (!(type instanceof Global) || !mayBeInstantiated(type.role)) throw this.#notCallable(type);
    if (!(args instanceof Tuple)) throw this.damaged('arguments that are not a tuple');
    this.push(new Instance(type, args.items));
  }

  #notCallable(value: Value): ModelError {
    return new ModelError(
      'UnsupportedModel',
      `byte ${this.reader.offset}: the file wants to call ${described(value)}, which a model file may not; nothing was run`,
    );
  }

  build(): void {
    const state = this.pop();
    const object = this.pop();
    if (!(object instanceof Instance)) throw this.damaged(`state for ${described(object)}`);
    if (object.state !== undefined) throw this.damaged(`state for ${described(object)} twice`);
    object.state = state;
    this.push(this.run.afterBuild(object, this.run));
  }

  stop(): void {
    this.result = this.pop();
  }
}
