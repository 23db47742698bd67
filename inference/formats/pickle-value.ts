// What a pickle is made of once it has been read: inert values. Nothing here can do anything.
import type { Role } from './globals.ts';

/** A name that the pickle asked for. It stays a name: no code is ever looked up for it. */
export class Global {
  readonly role: Role;
  readonly path: string;

  constructor(role: Role, path: string) {
    this.role = role;
    this.path = path;
  }
}

export class Tuple {
  readonly items: readonly Value[];

  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** "callable(args), then set state": recorded, not carried out. */
export class Instance {
  readonly callable: Global;
  readonly args: readonly Value[];
  state: Value | undefined;

  constructor(callable: Global, args: readonly Value[]) {
    this.callable = callable;
    this.args = args;
  }
}

/** An array whose elements stand in the file itself (joblib), or that was described by a reduce (numpy). */
export class NdArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly fortran: boolean;
  /** Raw elements; a list for dtype object. */
  readonly data: Uint8Array | readonly Value[];

  constructor(dtype: Dtype, shape: readonly number[], fortran: boolean, data: Uint8Array | readonly Value[]) {
    this.dtype = dtype;
    this.shape = shape;
    this.fortran = fortran;
    this.data = data;
  }
}

/** numpy's description of one element. */
export interface Dtype {
  /** numpy's letter: i, u, f, b, U, O, V. */
  readonly kind: string;
  readonly itemSize: number;
  /** Of a record (kind V): where each field stands. */
  readonly fields?: ReadonlyMap<string, { readonly dtype: Dtype; readonly offset: number }>;
}

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Tuple
  | Value[]
  | Map<Value, Value>
  | Set<Value>
  | Global
  | Instance
  | NdArray;

/** A few words on a value, for messages. */
export function described(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof Global) return value.path;
  if (value instanceof Instance) return value.callable.path;
  if (value instanceof Map) return 'a dict';
  if (value instanceof NdArray) return 'an array';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Tuple) return 'a tuple';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  return `a ${typeof value}`;
}
