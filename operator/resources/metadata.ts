// What every child has in common. Children are raw JSON with only the fields we mean: an omitted field belongs to somebody else.
import { API_VERSION, KIND } from '../domain/model-deployment.ts';
import type { Labels } from '../domain/labels.ts';

/** The ModelDeployment that a child belongs to. */
export interface Owner {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: boolean;
  readonly blockOwnerDeletion: boolean;
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
}

/** An object as it is sent in a server-side apply. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

/** The owner reference by which the garbage collector removes the child, with or without a running operator. */
export function ownerReference(owner: Owner): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    name: owner.name,
    uid: owner.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Metadata of a child in its owner's namespace. Nothing is copied from the owner: Argo CD's labels would make it prune the child. */
export function childMetadata(owner: Owner, name: string, labels: Labels): Metadata {
  return { name, namespace: owner.namespace, labels, ownerReferences: [ownerReference(owner)] };
}
