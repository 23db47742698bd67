// The raw JSON of an object as the API server sends it, and the little of it that this edge itself understands.
import { KubeError } from './errors.ts';
import { apiVersionOf } from './resources.ts';
import type { ResourceType } from './resources.ts';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
}

/** Any object: metadata is checked, the rest is whatever the server sent. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** An object that came from the API server: it has a uid and a resourceVersion. */
export interface StoredObject extends KubeObject {
  readonly metadata: ObjectMeta & { readonly uid: string; readonly resourceVersion: string };
}

/** `namespace/name`, or `name` for a cluster-scoped object. */
export type Key = string;

/** The key of an object, see splitKey. */
export function keyOf({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): Key {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Namespace and name of a key. A name has no slash. */
export function splitKey(key: Key): { namespace: string | undefined; name: string } {
  const slash = key.indexOf('/');
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The uid of the controller of an object; undefined when it has none. */
export function controllerOf({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid;
}

/**
 * An object as it came from the server, or undefined when it is none. Takes `managedFields` out of it (they are often half of the memory) and
 * puts `kind` and `apiVersion` in, which the server leaves out of lists of its own types.
 */
export function parseStored(value: unknown, type: ResourceType): StoredObject | undefined {
  if (!isRecord(value) || !isRecord(value['metadata'])) return undefined;
  const { metadata } = value;
  const complete = ['name', 'uid', 'resourceVersion'].every((field) => typeof metadata[field] === 'string');
  if (!complete) return undefined;
  Reflect.deleteProperty(metadata, 'managedFields');
  return { ...value, apiVersion: apiVersionOf(type), kind: type.kind } as unknown as StoredObject;
}

/** The object in an answer of the API server. Throws KubeError (`Malformed`) when it is none. */
export function storedFrom(answer: unknown, type: ResourceType): StoredObject {
  const object = parseStored(answer, type);
  if (object === undefined)
    throw new KubeError({ status: 0, reason: 'Malformed', message: `the answer is not a ${type.kind}` });
  return object;
}

/** A JSON object: no array and not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Negative when `a` is older than `b`, 0 when equal, positive when newer. Both have to be of objects of one type. Kubernetes promises the order
 * since 1.35 (KEP-5504); older servers with etcd keep it too. undefined when one of them is not a decimal number: then only equality is known.
 */
export function compareVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!isDecimal(a) || !isDecimal(b)) return undefined;
  return a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length;
}

function isDecimal(version: string): boolean {
  return /^[1-9][0-9]*$/.test(version);
}
