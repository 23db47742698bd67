// The little that a process remembers between passes. Nothing here decides: losing it (a restart, another leader) costs at most a repeated call.
import type { ResourceView } from './views.ts';

export class Memory {
  readonly #conflicts = new Map<string, readonly string[]>();
  readonly #drained = new Map<string, string>();
  readonly #written = new Map<string, ResourceView>();

  /** Children whose names belong to somebody else, as found by the last apply. */
  conflicts(key: string): readonly string[] {
    return this.#conflicts.get(key) ?? [];
  }

  /** Returns whether that is news. */
  noteConflicts(key: string, conflicts: readonly string[]): boolean {
    const before = this.conflicts(key).join();
    if (conflicts.length === 0) this.#conflicts.delete(key);
    else this.#conflicts.set(key, conflicts);
    return before !== conflicts.join();
  }

  /** Every pod said that nothing is left of the drain `id`. */
  noteDrained(key: string, id: string): void {
    this.#drained.set(key, id);
  }

  isDrained(key: string, id: string | undefined): boolean {
    return id !== undefined && this.#drained.get(key) === id;
  }

  /** What our last status write came back as: newer than the cache until the watch has caught up. */
  noteWritten(key: string, view: ResourceView): void {
    this.#written.set(key, view);
  }

  /** The newer of the cached view and the one that we wrote ourselves. */
  newest(key: string, cached: ResourceView): ResourceView {
    const written = this.#written.get(key);
    if (written?.uid !== cached.uid) return cached;
    if (BigInt(written.resourceVersion) > BigInt(cached.resourceVersion)) return written;
    this.#written.delete(key);
    return cached;
  }

  forget(key: string): void {
    this.#conflicts.delete(key);
    this.#drained.delete(key);
    this.#written.delete(key);
  }
}
