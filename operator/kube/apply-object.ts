// The only writes of objects: server-side apply with one field manager, never to an object that somebody else owns.
import { hashOf } from '../runtime/hash.ts';
import type { KubeClient } from './client.ts';
import { APPLY_TYPE } from './client.ts';
import { KubeError, NameConflictError } from './errors.ts';
import { shows } from './intent.ts';
import type { KubeObject, StoredObject } from './objects.ts';
import { controllerOf, storedFrom } from './objects.ts';
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
  /** The version last seen; saves `applyStatus` a read. */
  readonly resourceVersion?: string;
}

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface ObjectWriter {
  /**
   * Makes the fields of `intent` so. It has to carry a controller owner reference; the object found has to be controlled by the same uid.
   * Throws NameConflictError when it is not, NotLeadingError, KubeError, and TypeError for an intent without a controller.
   */
  apply(type: ResourceType, intent: KubeObject, signal: AbortSignal): Promise<Applied>;
  /**
   * Replaces the whole status of the object with that uid by its status subresource. The server does not compare uids there, so the write is tied to a
   * resourceVersion, and repeated when somebody else has changed the object meanwhile. Throws KubeError, NotLeadingError.
   */
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

const STATUS_ATTEMPTS = 5;

/** A writer that remembers what it applied, so that an object that still shows it costs no request. */
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
    const place = { namespace: ref.namespace, name: ref.name };
    const path = pathOf(type, { ...place, subresource: 'status' });
    const query = { fieldManager: this.#options.statusManager, force: true };
    let resourceVersion = ref.resourceVersion ?? (await this.#versionOf(type, ref, signal));
    for (let attempts = 1; ; attempts += 1) {
      const body = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: { ...place, resourceVersion }, status };
      try {
        return await this.#patch(type, path, body, query, signal);
      } catch (error) {
        if (!(error instanceof KubeError) || !error.isConflict || attempts === STATUS_ATTEMPTS) throw error;
        resourceVersion = await this.#versionOf(type, ref, signal);
      }
    }
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
    const path = pathOf(type, { namespace: ref.namespace, name: ref.name });
    // Children with ever new names come and go for as long as their owner lives.
    for (const paths of this.#applied.values()) paths.delete(path);
    try {
      await this.#options.client.request('DELETE', path, { body, signal });
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
      return storedFrom(await this.#options.client.request('GET', pathOf(type, place), { signal }), type);
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** The version of the object with that uid. Throws a conflict when another one has its name. */
  async #versionOf(type: ResourceType, ref: ObjectRef, signal: AbortSignal): Promise<string> {
    const place = { namespace: ref.namespace, name: ref.name };
    const { metadata } = storedFrom(await this.#options.client.request('GET', pathOf(type, place), { signal }), type);
    if (metadata.uid !== ref.uid) throw conflict(`${type.kind} ${ref.name} is another one than before`);
    return metadata.resourceVersion;
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
    const answer = this.#options.client.request('PATCH', path, { body, query, contentType: APPLY_TYPE, signal });
    const object = storedFrom(await answer.catch(rethrowConflict), type);
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

/** Nobody has written since we did, or at least every field that we mean still shows (a controller that writes status raises the version too). */
function isStill(current: StoredObject, last: Remembered, intent: KubeObject): boolean {
  return current.metadata.resourceVersion === last.version || shows(current, intent);
}

/** Another object has taken the name: the server answers 422 or 409, according to the kind. For us it is the same: look again. */
function rethrowConflict(error: unknown): never {
  const isOther = error instanceof KubeError && error.status === 422 && error.message.includes('metadata.uid');
  throw isOther ? conflict(error.message, error) : error;
}

function conflict(message: string, cause?: Error): KubeError {
  return new KubeError({ status: 409, reason: 'Conflict', message }, { cause });
}

function nameConflict(type: ResourceType, { metadata }: KubeObject, cause?: Error): NameConflictError {
  return new NameConflictError(type.kind, { namespace: metadata.namespace, name: metadata.name }, { cause });
}
