// What we wrote last, by object: so that a pass can tell whether the cache has caught up with our own writes, and read the object itself if not.
import type { StoredObject } from './objects.ts';
import { compareVersions } from './objects.ts';

export class WrittenVersions {
  readonly #versions = new Map<string, string>();

  /** Notes what an apply returned. */
  record({ metadata }: StoredObject): void {
    this.#versions.set(metadata.uid, metadata.resourceVersion);
  }

  /** True when `cached` (undefined: not in the cache) is older than our last write of the object. Where versions cannot be ordered, any other one counts as newer. */
  isBehind(uid: string, cached: string | undefined): boolean {
    const written = this.#versions.get(uid);
    if (written === undefined) return false;
    const order = cached === undefined ? -1 : compareVersions(cached, written);
    const behind = order !== undefined && order < 0;
    if (!behind) this.#versions.delete(uid);
    return behind;
  }

  /** The object is gone. */
  forget(uid: string): void {
    this.#versions.delete(uid);
  }
}
