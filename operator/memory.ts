// The little that a process remembers between passes. Nothing here decides: losing it (a restart, another leader) costs at most a repeated call.
import type { Obstacle } from './domain/observed.ts';

export class Memory {
  readonly #obstacles = new Map<string, readonly Obstacle[]>();
  readonly #drained = new Map<string, string>();
  readonly #owners = new Map<string, string>();
  readonly #tokens = new Map<string, string>();
  readonly #reloads = new Map<string, string | undefined>();
  readonly #confirming = new Map<string, number>();

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

  /** Whether routers have yet to confirm the table; `now` is monotonic ms. */
  noteConfirming(key: string, isConfirming: boolean, now: number): void {
    if (!isConfirming) this.#confirming.delete(key);
    else if (!this.#confirming.has(key)) this.#confirming.set(key, now);
  }

  /** Since when (monotonic ms) routers have had to confirm the table; undefined when they have. */
  confirmingSince(key: string): number | undefined {
    return this.#confirming.get(key);
  }

  /** Returns whether the `reload` annotation has another value than in the last pass; the first pass asks the store anyway. */
  noteReload(key: string, value: string | undefined): boolean {
    const first = !this.#reloads.has(key);
    const before = this.#reloads.get(key);
    this.#reloads.set(key, value);
    return !first && before !== value;
  }

  /** The token of the admin Secret, as read. */
  noteToken(key: string, token: string): void {
    this.#tokens.set(key, token);
  }

  /** The token that running pods have, should somebody have deleted the Secret. */
  token(key: string): string | undefined {
    return this.#tokens.get(key);
  }

  /** The resource was deleted and made again since the last pass: nothing that is remembered is about this one. */
  isAnother(key: string, uid: string): boolean {
    return (this.#owners.get(key) ?? uid) !== uid;
  }

  /** Under which uid the children of the resource were applied. */
  noteOwner(key: string, uid: string): void {
    this.#owners.set(key, uid);
  }

  /** Forgets the resource; returns the uid that it had. */
  forget(key: string): string | undefined {
    const uid = this.#owners.get(key);
    const all = [this.#obstacles, this.#drained, this.#owners, this.#tokens, this.#reloads, this.#confirming];
    for (const map of all) map.delete(key);
    return uid;
  }
}
