// The objects behind the fake API server: resourceVersions, field managers, and the checks that the real server makes.
import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;

export interface FakeObject extends Json {
  metadata: Json & { name: string; namespace?: string; uid: string; resourceVersion: string };
}

export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly object: FakeObject;
}

/** An answer other than 2xx. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }

  body(): Json {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code: this.code,
      reason: this.reason,
      message: this.message,
    };
  }
}

interface Entry {
  object: FakeObject;
  readonly collection: string;
  /** What each manager applied last; 'create' for what came by POST or PUT. */
  readonly intents: Map<string, Json>;
}

const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const MICRO_TIME_FIELDS = ['renewTime', 'acquireTime', 'eventTime'];

export class FakeObjectStore {
  readonly #entries = new Map<string, Entry>();
  readonly history: Change[] = [];
  onChange: (change: Change) => void = () => undefined;
  version = 1000;
  /** Versions before this one are forgotten. */
  compacted = 0;
  #uids = 0;

  list(collection: string): FakeObject[] {
    const path = collection.replace(/\/[^/]+$/, '');
    const plural = collection.slice(path.length + 1);
    const inside = (entry: Entry) =>
      entry.collection === collection ||
      (entry.collection.startsWith(`${path}/namespaces/`) && entry.collection.endsWith(`/${plural}`));
    const all = [...this.#entries].filter(([, entry]) => inside(entry));
    return all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry.object);
  }

  get(path: string): FakeObject {
    return this.#entry(path).object;
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  create(collection: string, body: Json): FakeObject {
    const name = metadataOf(body)['name'];
    if (typeof name !== 'string') throw new StatusError(422, 'Invalid', 'metadata.name is required');
    const path = `${collection}/${name}`;
    if (this.#entries.has(path)) throw new StatusError(409, 'AlreadyExists', `${path} already exists`);
    return this.#insert(path, collection, 'create', body);
  }

  replace(path: string, body: Json): FakeObject {
    const entry = this.#entry(path);
    this.#checkMetadata(entry, body);
    entry.intents.set('create', body);
    return this.#commit(entry, { ...body, metadata: { ...metadataOf(body), ...identityOf(entry.object) } });
  }

  apply(path: string, collection: string, body: Json, manager: string, force: boolean, status: boolean): FakeObject {
    if (isObject(body['spec']) && 'noSuchField' in body['spec']) {
      throw new StatusError(
        500,
        'InternalError',
        'failed to create typed patch object: .spec.noSuchField: field not declared in schema',
      );
    }
    const entry = this.#entries.get(path);
    if (entry === undefined) {
      if (status || metadataOf(body)['uid'] !== undefined)
        throw new StatusError(409, 'Conflict', 'uid mismatch: the object is gone');
      return this.#insert(path, collection, manager, body);
    }
    // As the real server: the status subresource looks at the version only.
    const { uid, ...metadata } = metadataOf(body);
    if (!status && uid !== undefined && uid !== entry.object.metadata.uid)
      throw new StatusError(422, 'Invalid', 'metadata.uid: field is immutable');
    this.#checkMetadata(entry, { metadata });
    const part = status ? { status: body['status'] } : without(body, 'status');
    if (!force) this.#checkOwners(entry, manager, part);
    return this.#commit(entry, this.#merge(entry, manager, part));
  }

  delete(path: string, body: Json): void {
    const entry = this.#entry(path);
    if (isObject(body['preconditions'])) this.#checkMetadata(entry, { metadata: body['preconditions'] });
    this.#entries.delete(path);
    this.#emit('DELETED', entry, { ...entry.object });
  }

  /** Forgets the history, as etcd does. */
  compact(): void {
    this.compacted = this.version;
    this.history.length = 0;
  }

  #entry(path: string): Entry {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw new StatusError(404, 'NotFound', `${path} not found`);
    return entry;
  }

  #checkMetadata(entry: Entry, body: Json): void {
    for (const field of ['uid', 'resourceVersion'] as const) {
      const wanted = metadataOf(body)[field];
      if (wanted !== undefined && wanted !== entry.object.metadata[field])
        throw new StatusError(409, 'Conflict', `${field} is another one`);
    }
  }

  #checkOwners(entry: Entry, manager: string, part: Json): void {
    const others = [...entry.intents].filter(([name]) => name !== manager);
    const taken = others.some(([, intent]) =>
      leaves(part).some(([path, value]) => leaves(intent).some(([other, old]) => other === path && old !== value)),
    );
    if (taken) throw new StatusError(409, 'Conflict', 'Apply failed with 1 conflict');
  }

  #merge(entry: Entry, manager: string, part: Json): Json {
    const previous = entry.intents.get(manager) ?? {};
    const others = [...entry.intents].filter(([name]) => name !== manager).map(([, intent]) => intent);
    entry.intents.set(manager, part);
    const dropped = remove(
      entry.object,
      leaves(previous)
        .map(([path]) => path)
        .filter((path) => !others.some((intent) => leaves(intent).some(([own]) => own === path))),
    );
    const merged = merge(dropped, without(part, 'metadata'));
    return { ...merged, metadata: { ...merge(metadataOf(merged), metadataOf(part)), ...identityOf(entry.object) } };
  }

  #insert(path: string, collection: string, manager: string, body: Json): FakeObject {
    this.#uids += 1;
    const namespace = /\/namespaces\/([^/]+)\//.exec(path)?.[1];
    const identity = {
      uid: `uid-${this.#uids}`,
      resourceVersion: '',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(namespace !== undefined && { namespace }),
    };
    const metadata = { ...metadataOf(body), name: path.slice(path.lastIndexOf('/') + 1), ...identity };
    const entry: Entry = {
      object: { ...body, metadata },
      collection,
      intents: new Map([[manager, without(body, 'status')]]),
    };
    checkTimes(body);
    this.#entries.set(path, entry);
    this.#emit('ADDED', entry, entry.object);
    return entry.object;
  }

  #commit(entry: Entry, next: Json): FakeObject {
    checkTimes(next);
    if (isDeepStrictEqual(next, entry.object)) return entry.object;
    this.#emit('MODIFIED', entry, next as FakeObject);
    return entry.object;
  }

  #emit(type: Change['type'], entry: Entry, next: FakeObject): void {
    this.version += 1;
    const managedFields = [...entry.intents.keys()].map((manager) => ({ manager }));
    entry.object = { ...next, metadata: { ...next.metadata, resourceVersion: String(this.version), managedFields } };
    const change = { version: this.version, type, collection: entry.collection, object: entry.object };
    this.history.push(change);
    this.onChange(change);
  }
}

/** `a=b,c=d` on labels, and `metadata.name=x` on fields. */
export function selector(query: URLSearchParams): (object: FakeObject) => boolean {
  const pairs = (text: string | null) =>
    (text ?? '')
      .split(',')
      .filter(Boolean)
      .map((pair) => pair.split('=') as [string, string]);
  const labels = pairs(query.get('labelSelector'));
  const fields = pairs(query.get('fieldSelector'));
  const strange = fields.find(([field]) => field !== 'metadata.name');
  if (strange !== undefined) throw new StatusError(400, 'BadRequest', `field label not supported: ${strange[0]}`);
  return ({ metadata }) =>
    labels.every(([name, value]) => (metadata['labels'] as Record<string, string> | undefined)?.[name] === value) &&
    fields.every(([, value]) => metadata.name === value);
}

function identityOf({ metadata }: FakeObject): Json {
  const { name, namespace, uid, resourceVersion, creationTimestamp, managedFields } = metadata as Json;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    uid,
    resourceVersion,
    creationTimestamp,
    managedFields,
  };
}

function checkTimes(body: Json): void {
  const short = leaves(body).find(
    ([path, value]) =>
      MICRO_TIME_FIELDS.includes(path.split('/').at(-1) ?? '') &&
      !(typeof value === 'string' && MICRO_TIME.test(value)),
  );
  if (short !== undefined)
    throw new StatusError(400, 'BadRequest', `${short[0]}: parsing time ${String(short[1])} as MicroTime`);
}

/** Path and value of everything that is not an object; a list counts as one value, as an atomic one does. */
function leaves(value: unknown, path = ''): [string, unknown][] {
  if (!isObject(value)) return [[path, Array.isArray(value) ? JSON.stringify(value) : value]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}/${name}`));
}

function remove(value: Json, paths: readonly string[], at = ''): Json {
  const kept = Object.entries(value).filter(
    ([name]) => !paths.includes(`${at}/${name}`) || at === '/metadata' || at === '',
  );
  return Object.fromEntries(
    kept.map(([name, inner]) => [name, isObject(inner) ? remove(inner, paths, `${at}/${name}`) : inner]),
  );
}

function merge(base: Json, patch: Json): Json {
  const merged = Object.entries(patch).map(([name, value]): [string, unknown] => [
    name,
    isObject(value) && isObject(base[name]) ? merge(base[name], value) : value,
  ]);
  return { ...base, ...Object.fromEntries<unknown>(merged) };
}

function metadataOf(body: Json): Json {
  return isObject(body['metadata']) ? body['metadata'] : {};
}

function without(body: Json, field: string): Json {
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== field));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
