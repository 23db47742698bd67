// The only writes of objects: server-side apply with one field manager, never to an object that somebody else owns.
import { createHash } from 'node:crypto';
import type { KubeClient } from './client.ts';
import { APPLY_TYPE } from './client.ts';
import { KubeError, NameConflictError } from './errors.ts';
import type { KubeObject, StoredObject } from './objects.ts';
import { controllerOf, isRecord, parseStored } from './objects.ts';
import type { ObjectPlace, ResourceType } from './resources.ts';
import { apiVersionOf, pathOf } from './resources.ts';

export interface Applied {
  readonly object: StoredObject;
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'skipped';
}

export interface ObjectRef {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
}

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface ObjectWriter {
  /**
   * Makes the fields of `intent` so. It has to carry a controller owner reference; the object found has to be controlled by the same uid.
   * Throws NameConflictError when it is not, NotLeadingError, KubeError, and TypeError for an intent without a controller.
   */
  apply(type: ResourceType, intent: KubeObject, signal: AbortSignal): Promise<Applied>;
  /** Replaces the whole status of the object with that uid by its status subresource. Throws KubeError, NotLeadingError. */
  applyStatus(
    type: ResourceType,
    ref: ObjectRef,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<StoredObject>;
  /** Deletes exactly the object with that uid. 'gone' when there is no such object any more. Throws KubeError, NotLeadingError. */
  delete(
    type: ResourceType,
    ref: ObjectRef,
    propagation: Propagation,
    signal: AbortSignal,
  ): Promise<'deleted' | 'gone'>;
  /** Forgets what was applied for an owner that is gone. */
  forgetOwner(uid: string): void;
}

export interface ObjectWriterOptions {
  readonly client: KubeClient;
  readonly fieldManager: string;
  readonly statusManager: string;
  /** Called right before each write; throws when we may not write. */
  readonly assertLeading: () => void;
  /** What a cache holds of an object: at least its metadata. undefined means "not known", and the object is read. */
  readonly cached?: (type: ResourceType, place: ObjectPlace) => StoredObject | undefined;
  /** What a write returned, for the cache. */
  readonly onWritten?: (type: ResourceType, object: StoredObject) => void;
}

export function createObjectWriter(options: ObjectWriterOptions): ObjectWriter {
  return new Applier(options);
}

interface Remembered {
  readonly hash: string;
  readonly uid: string;
  readonly version: string;
}

class Applier implements ObjectWriter {
  readonly #options: ObjectWriterOptions;
  /** By owner uid, then by path. */
  readonly #applied = new Map<string, Map<string, Remembered>>();

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
  }

  async apply(type: ResourceType, intent: KubeObject, signal: AbortSignal): Promise<Applied> {
    const owner = controllerOf(intent);
    if (owner === undefined) throw new TypeError(`${type.kind} ${intent.metadata.name} has no controller`);
    const path = pathOf(type, { namespace: intent.metadata.namespace, name: intent.metadata.name });
    const hash = hashOf(intent);
    const current = await this.#current(type, intent, owner, signal);
    if (current === undefined)
      return this.#remember(owner, path, hash, await this.#create(type, intent, path, owner, signal));
    if (controllerOf(current) !== owner) throw nameConflict(type, intent);
    const last = this.#applied.get(owner)?.get(path);
    if (last?.hash === hash && last.uid === current.metadata.uid && isStill(current, last, intent))
      return { object: current, outcome: 'skipped' };
    const body = { ...intent, metadata: { ...intent.metadata, uid: current.metadata.uid } };
    const object = await this.#patch(
      type,
      path,
      body,
      { fieldManager: this.#options.fieldManager, force: true },
      signal,
    );
    const outcome = object.metadata.resourceVersion === current.metadata.resourceVersion ? 'unchanged' : 'updated';
    return this.#remember(owner, path, hash, { object, outcome });
  }

  async applyStatus(
    type: ResourceType,
    ref: ObjectRef,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<StoredObject> {
    const { namespace, name } = ref;
    const body = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...ref }, status };
    const query = { fieldManager: this.#options.statusManager, force: true };
    return this.#patch(type, pathOf(type, { namespace, name, subresource: 'status' }), body, query, signal);
  }

  async delete(
    type: ResourceType,
    ref: ObjectRef,
    propagation: Propagation,
    signal: AbortSignal,
  ): Promise<'deleted' | 'gone'> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: ref.uid },
      propagationPolicy: propagation,
    };
    this.#options.assertLeading();
    try {
      await this.#options.client.request('DELETE', pathOf(type, { namespace: ref.namespace, name: ref.name }), {
        body,
        signal,
      });
      return 'deleted';
    } catch (error) {
      // 409: there is an object of that name, but it has another uid.
      if (error instanceof KubeError && (error.isNotFound || error.isConflict)) return 'gone';
      throw error;
    }
  }

  forgetOwner(uid: string): void {
    this.#applied.delete(uid);
  }

  /** The object as it is now. A cache is believed when it shows an object of ours; that there is none, or another's, is asked of the server. */
  async #current(
    type: ResourceType,
    { metadata }: KubeObject,
    owner: string,
    signal: AbortSignal,
  ): Promise<StoredObject | undefined> {
    const place = { namespace: metadata.namespace, name: metadata.name };
    const cached = this.#options.cached?.(type, place);
    if (cached !== undefined && controllerOf(cached) === owner) return cached;
    return this.#read(type, place, signal);
  }

  async #read(type: ResourceType, place: ObjectPlace, signal: AbortSignal): Promise<StoredObject | undefined> {
    try {
      return stored(await this.#options.client.request('GET', pathOf(type, place), { signal }), type);
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** By apply, since a POST would leave fields behind that no later apply removes. Without force: should somebody be faster, the server says so. */
  async #create(
    type: ResourceType,
    intent: KubeObject,
    path: string,
    owner: string,
    signal: AbortSignal,
  ): Promise<Applied> {
    try {
      const object = await this.#patch(
        type,
        path,
        intent,
        { fieldManager: this.#options.fieldManager, force: false },
        signal,
      );
      return { object, outcome: 'created' };
    } catch (error) {
      if (!(error instanceof KubeError) || !error.isConflict) throw error;
      const faster = await this.#read(type, intent.metadata, signal);
      throw faster !== undefined && controllerOf(faster) !== owner ? nameConflict(type, intent, error) : error;
    }
  }

  async #patch(
    type: ResourceType,
    path: string,
    body: unknown,
    query: { readonly fieldManager: string; readonly force: boolean },
    signal: AbortSignal,
  ): Promise<StoredObject> {
    this.#options.assertLeading();
    const object = stored(
      await this.#options.client.request('PATCH', path, { body, query, contentType: APPLY_TYPE, signal }),
      type,
    );
    this.#options.onWritten?.(type, object);
    return object;
  }

  #remember(owner: string, path: string, hash: string, applied: Applied): Applied {
    const { uid, resourceVersion: version } = applied.object.metadata;
    const paths = this.#applied.get(owner) ?? new Map<string, Remembered>();
    this.#applied.set(owner, paths.set(path, { hash, uid, version }));
    return applied;
  }
}

/** sha256 of the JSON with its keys in order. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonicalJson(value: unknown): string {
  const sorted = (_: string, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
  return JSON.stringify(value, sorted);
}

/** Nobody has written since we did, or at least every field that we mean still shows (a controller that writes status raises the version too). */
function isStill(current: StoredObject, last: Remembered, intent: KubeObject): boolean {
  return current.metadata.resourceVersion === last.version || shows(current, intent);
}

/** Every field of `intent` has its value in `live`, which may have more. A value that the server spells differently counts as changed: it is applied again. */
function shows(live: unknown, intent: unknown): boolean {
  if (Array.isArray(intent))
    return (
      Array.isArray(live) && live.length === intent.length && intent.every((item, index) => shows(live[index], item))
    );
  if (isRecord(intent))
    return (
      isRecord(live) && Object.entries(intent).every(([name, value]) => value === undefined || shows(live[name], value))
    );
  return live === intent;
}

function stored(answer: unknown, type: ResourceType): StoredObject {
  const object = parseStored(answer, type);
  if (object === undefined)
    throw new KubeError({ status: 0, reason: 'Malformed', message: `the answer is not a ${type.kind}` });
  return object;
}

function nameConflict(type: ResourceType, { metadata }: KubeObject, cause?: Error): NameConflictError {
  return new NameConflictError(type.kind, { namespace: metadata.namespace, name: metadata.name }, { cause });
}
