// An index of one type of object, fed by a watch. It holds a projection of each object, so that memory goes to what is really read.
import type { Key, ObjectMeta, StoredObject } from './objects.ts';
import { compareVersions, keyOf } from './objects.ts';
import type { WatchEvent } from './watch.ts';

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
  /** What to keep of an object. It runs once for each change; when it throws, the object is left out. */
  readonly project: (object: StoredObject) => T;
  /** Called for each change; it may only note keys. */
  readonly onChange?: (change: Change<T>) => void;
  /** Values by which `byIndex` finds the object. */
  readonly indexBy?: (object: StoredObject) => readonly string[];
  /** What `project` or `indexBy` threw. */
  readonly onBadObject?: (error: unknown, object: StoredObject) => void;
}

export interface CacheReader<T> {
  /** Resolves after the first complete list. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  readonly size: number;
  get(namespace: string | undefined, name: string): T | undefined;
  /** Objects with an owner reference to `uid`. */
  byOwner(uid: string): readonly T[];
  byIndex(value: string): readonly T[];
  values(): readonly T[];
}

interface Entry<T> {
  readonly value: T;
  readonly uid: string;
  readonly version: string;
  readonly owners: readonly string[];
  readonly indexed: readonly string[];
  readonly namespace: string | undefined;
  readonly name: string;
}

/** The objects of one type: a watch feeds it, and our own writes run ahead of the watch. */
export class Cache<T> implements CacheReader<T> {
  readonly synced: Promise<void>;
  readonly #options: CacheOptions<T>;
  readonly #entries = new Map<Key, Entry<T>>();
  readonly #byOwner = new Map<string, Set<Key>>();
  readonly #byIndex = new Map<string, Set<Key>>();
  readonly #markSynced: () => void;
  #isSynced = false;
  /** The newest version that the watch has told of. */
  #heard: string | undefined;

  constructor(options: CacheOptions<T>) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.synced = promise.then(() => undefined);
    this.#markSynced = () => resolve(undefined);
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#entries.get(keyOf({ name, ...(namespace !== undefined && { namespace }) }))?.value;
  }

  byOwner(uid: string): readonly T[] {
    return this.#valuesOf(this.#byOwner.get(uid));
  }

  byIndex(value: string): readonly T[] {
    return this.#valuesOf(this.#byIndex.get(value));
  }

  values(): readonly T[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  /** Follows a watch until it ends. */
  async follow(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) this.take(event);
  }

  take(event: WatchEvent): void {
    if (event.kind === 'synced') {
      this.#replaceAll(event.objects, event.resourceVersion);
      return;
    }
    const { metadata } = event.object;
    this.#hear(metadata.resourceVersion);
    if (event.kind === 'changed') this.#set(event.object);
    else if (this.#entries.get(keyOf(metadata))?.uid === metadata.uid) this.#remove(keyOf(metadata));
  }

  /**
   * Takes what our own write returned, so that the next read sees it before the watch tells of it. An object that the watch has already gone
   * past is left alone: it may have been deleted since.
   */
  put(object: StoredObject): void {
    const order = this.#heard === undefined ? undefined : compareVersions(object.metadata.resourceVersion, this.#heard);
    if (order === undefined || order > 0) this.#set(object);
  }

  #replaceAll(objects: readonly StoredObject[], listVersion: string): void {
    const listed = new Set(objects.map(({ metadata }) => keyOf(metadata)));
    for (const object of objects) this.#set(object);
    const gone = [...this.#entries].filter(([key, entry]) => !listed.has(key) && !isNewer(entry.version, listVersion));
    for (const [key] of gone) this.#remove(key);
    this.#hear(listVersion);
    this.#isSynced = true;
    this.#markSynced();
  }

  #set(object: StoredObject): void {
    const { metadata } = object;
    const key = keyOf(metadata);
    const before = this.#entries.get(key);
    const known =
      before?.uid === metadata.uid &&
      (before.version === metadata.resourceVersion || isNewer(before.version, metadata.resourceVersion));
    if (known) return;
    const entry = this.#project(object);
    if (entry === undefined) {
      if (before !== undefined) this.#remove(key);
      return;
    }
    if (before !== undefined) this.#unlink(key, before);
    this.#entries.set(key, entry);
    for (const uid of entry.owners) link(this.#byOwner, uid, key);
    for (const value of entry.indexed) link(this.#byIndex, value, key);
    this.#report(entry, { ...(before && { before: before.value }), after: entry.value });
  }

  #project(object: StoredObject): Entry<T> | undefined {
    const { project, indexBy, onBadObject } = this.#options;
    const { uid, resourceVersion: version, namespace, name, ownerReferences = [] } = object.metadata;
    try {
      const owners = ownerReferences.map((owner) => owner.uid);
      return { value: project(object), uid, version, owners, indexed: indexBy?.(object) ?? [], namespace, name };
    } catch (error) {
      onBadObject?.(error, object);
      return undefined;
    }
  }

  #remove(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unlink(key, entry);
    this.#report(entry, { before: entry.value });
  }

  #unlink(key: Key, entry: Entry<T>): void {
    for (const uid of entry.owners) unlink(this.#byOwner, uid, key);
    for (const value of entry.indexed) unlink(this.#byIndex, value, key);
  }

  #report(
    { namespace, name }: Pick<ObjectMeta, 'name'> & { namespace: string | undefined },
    values: Pick<Change<T>, 'before' | 'after'>,
  ): void {
    this.#options.onChange?.({ namespace, name, ...values });
  }

  #hear(version: string): void {
    if (this.#heard === undefined || !isNewer(this.#heard, version)) this.#heard = version;
  }

  #valuesOf(keys: ReadonlySet<Key> = new Set()): readonly T[] {
    return [...keys].flatMap((key) => {
      const entry = this.#entries.get(key);
      return entry === undefined ? [] : [entry.value];
    });
  }
}

/** `a` is certainly newer than `b`. */
function isNewer(a: string, b: string): boolean {
  const order = compareVersions(a, b);
  return order !== undefined && order > 0;
}

function link(index: Map<string, Set<Key>>, value: string, key: Key): void {
  const keys = index.get(value) ?? new Set();
  index.set(value, keys.add(key));
}

function unlink(index: Map<string, Set<Key>>, value: string, key: Key): void {
  const keys = index.get(value);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(value);
}
