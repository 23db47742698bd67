// The little that a process remembers between passes. Nothing here decides: losing it (a restart, another leader) costs at most a repeated call.
import type { Obstacle } from './domain/observed.ts';
import type { ResourceView } from './views.ts';

export class Memory {
  readonly #obstacles = new Map<string, readonly Obstacle[]>();
  readonly #drained = new Map<string, string>();
  readonly #written = new Map<string, ResourceView>();

  /** What kept the last apply from making the children. */
  obstacles(key: string): readonly Obstacle[] {
    return this.#obstacles.get(key) ?? [];
  }

  /** Returns whether that is news. */
  noteObstacles(key: string, obstacles: readonly Obstacle[]): boolean {
    const before = JSON.stringify(this.obstacles(key));
    if (obstacles.length === 0) this.#obstacles.delete(key);
    else this.#obstacles.set(key, obstacles);
    return before !== JSON.stringify(obstacles);
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
    this.#obstacles.delete(key);
    this.#drained.delete(key);
    this.#written.delete(key);
  }
}
