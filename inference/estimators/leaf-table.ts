// The numbers of leaves, each different row once. Most leaves of a classifier's trees are pure, so that a forest of 34,000 leaves has 3,700 rows: they stay in
// the processor's cache.

const FREE = -1;

/** Appends rows of `width` numbers to `values`, from its beginning on. */
export class LeafTable {
  readonly #values: Float64Array;
  readonly #bits: Int32Array;
  readonly #width: number;
  /** Rows by hash; as many slots as a power of two that leaves half of them free. */
  readonly #slots: Int32Array;
  #rows = 0;

  constructor(values: Float64Array<ArrayBuffer>, width: number) {
    this.#values = values;
    this.#bits = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    this.#width = width;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, (2 * values.length) / width)))).fill(FREE);
  }

  /** Numbers that are used. */
  get length(): number {
    return this.#rows * this.#width;
  }

  /** Where a row begins that `write` writes at the place that it is given. */
  add(write: (values: Float64Array, at: number) => void): number {
    const next = this.length;
    write(this.#values, next);
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(next) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] ?? FREE;
      if (row !== FREE && !this.#isSame(row * this.#width, next)) continue;
      if (row !== FREE) return row * this.#width;
      this.#slots[slot] = this.#rows;
      this.#rows += 1;
      return next;
    }
  }

  #hash(from: number): number {
    let hash = 0;
    for (let at = 2 * from; at < 2 * (from + this.#width); at += 1) {
      hash = Math.imul(hash ^ (this.#bits[at] ?? 0), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  /** Bit for bit: 0 and -0 are two answers. */
  #isSame(one: number, other: number): boolean {
    for (let at = 0; at < 2 * this.#width; at += 1) {
      if (this.#bits[2 * one + at] !== this.#bits[2 * other + at]) return false;
    }
    return true;
  }
}
