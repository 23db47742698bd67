// The only writes of objects: server-side apply with one field manager, never to an object that somebody else owns.
import type { KubeObject, StoredObject } from './objects.ts';
import type { ResourceType } from './resources.ts';

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
   * Throws NameConflictError when it is not, NotLeadingError, and KubeError.
   */
  apply(type: ResourceType, intent: KubeObject, signal: AbortSignal): Promise<Applied>;
  /** Replaces the whole status of the object with that uid by its status subresource. Throws KubeError, NotLeadingError. */
  applyStatus(
    type: ResourceType,
    ref: ObjectRef,
    status: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<StoredObject>;
  /** Deletes exactly the object with that uid. 'gone' when there is no such object any more. */
  delete(
    type: ResourceType,
    ref: ObjectRef,
    propagation: Propagation,
    signal: AbortSignal,
  ): Promise<'deleted' | 'gone'>;
}
