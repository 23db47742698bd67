// What a load is asked for with, and when two such calls mean the same.
import type { Wanted } from './store.ts';

export interface LoadRequest extends Wanted {
  readonly sequence: number;
  readonly revision?: string | undefined;
  /** Revisions to hold for an instant rollback, beside the previous one. */
  readonly keep: readonly string[];
  /** Features, classes and outputs may be others than those of the active model. */
  readonly allowSchemaChange?: boolean;
}

export type LoadStatus = 'loaded' | 'unchanged';

/** Both ask for the same version of the same object, by the same name. */
export function isSameVersion(a: LoadRequest, b: LoadRequest): boolean {
  if (a.key !== b.key || a.revision !== b.revision) return false;
  return a.versionId === b.versionId && a.etag === b.etag && a.sha256 === b.sha256;
}
