// First in, first out within a group, the groups in turn: a namespace with a thousand keys does not hold up one with a single key.

/** A set of keys in turn; a key that is in it already keeps its place. */
export class FairQueue {
  readonly #groups = new Map<string, Set<string>>();
  readonly #groupOf: (key: string) => string;
  #size = 0;

  constructor(groupOf: (key: string) => string) {
    this.#groupOf = groupOf;
  }

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#groups.get(this.#groupOf(key))?.has(key) ?? false;
  }

  push(key: string): void {
    if (this.has(key)) return;
    const group = this.#groupOf(key);
    const keys = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, keys.add(key));
    this.#size += 1;
  }

  /** False when it was not there. */
  remove(key: string): boolean {
    const group = this.#groupOf(key);
    const keys = this.#groups.get(group);
    if (keys?.delete(key) !== true) return false;
    if (keys.size === 0) this.#groups.delete(group);
    this.#size -= 1;
    return true;
  }

  /** The next key; its group goes to the end of the line. */
  shift(): string | undefined {
    for (const [group, keys] of this.#groups) {
      for (const key of keys) {
        this.remove(key);
        if (this.#groups.delete(group) && keys.size > 0) this.#groups.set(group, keys);
        return key;
      }
    }
    return undefined;
  }
}
