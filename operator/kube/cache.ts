// An index of one type of object, fed by a watch. It holds a projection of each object, so that memory goes to what is really read.
import type { StoredObject } from './objects.ts';

/** One difference between what the cache held and what it holds now. */
export interface Change<T> {
  readonly namespace: string | undefined;
  readonly name: string;
  /** Absent: the object is new. */
  readonly before?: T;
  /** Absent: the object is gone. */
  readonly after?: T;
}

export interface CacheOptions<T> {
  /** What to keep of an object. It runs once for each change. */
  readonly project: (object: StoredObject) => T;
  /** Called for each change; it may only note keys. */
  readonly onChange?: (change: Change<T>) => void;
  /** Values by which `byIndex` finds the object. */
  readonly indexBy?: (object: StoredObject) => readonly string[];
}
export interface CacheReader<T> {
  /** Resolves after the first complete list. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  get(namespace: string | undefined, name: string): T | undefined;
  /** Objects with an owner reference to `uid`. */
  byOwner(uid: string): readonly T[];
  byIndex(value: string): readonly T[];
  values(): IterableIterator<T>;
  readonly size: number;
}
