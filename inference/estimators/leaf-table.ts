// The numbers of leaves, each different row once. Most leaves of a classifier's trees are pure, so that a forest of 34,000 leaves has 3,700 rows: they stay in
// the processor's cache.

const FREE = -1;

/** The rows of leaves in the order in which they come, one after the other in an array. */
export interface LeafRows {
  /** Where the next row has to be written. */
  readonly next: number;
  /** Takes the row that was written; answers where it begins. */
  keep(): number;
}

/** One number a leaf. */
export class LeafList implements LeafRows {
  next = 0;

  keep(): number {
    this.next += 1;
    return this.next - 1;
  }
}

/** Rows of `width` numbers in `values`, of which each has one place however often it comes. */
export class LeafTable implements LeafRows {
  next = 0;
  readonly #bits: Int32Array;
  readonly #width: number;
  /** Where rows begin, by hash; as many slots as a power of two that leaves half of them free. */
  readonly #slots: Int32Array;

  constructor(values: Float64Array<ArrayBuffer>, width: number) {
    this.#bits = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    this.#width = width;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, (2 * values.length) / width)))).fill(FREE);
  }

  keep(): number {
    const bits = this.#bits;
    const slots = this.#slots;
    const words = 2 * this.#width;
    const row = this.next;
    const mask = slots.length - 1;
    for (let slot = hashOf(bits, 2 * row, words) & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot] ?? FREE;
      if (known === FREE) {
        slots[slot] = row;
        this.next += this.#width;
        return row;
      }
      if (isSame(bits, 2 * known, 2 * row, words)) return known;
    }
  }
}

function hashOf(bits: Int32Array, from: number, words: number): number {
  let hash = 0;
  for (let at = from; at < from + words; at += 1) {
    hash = Math.imul(hash ^ (bits[at] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** Bit for bit: 0 and -0 are two answers. */
function isSame(bits: Int32Array, one: number, other: number, words: number): boolean {
  for (let at = 0; at < words; at += 1) if (bits[one + at] !== bits[other + at]) return false;
  return true;
}
