// The numbers of leaves, each different row once. Most leaves of a classifier's trees are pure, so that a forest of 34,000 leaves has 3,700 rows: they stay in
// the processor's cache.

const FREE = -1;

/** What of flat trees says where the numbers of their leaves are: see Trees. */
export interface LeafTable {
  readonly left: Int32Array;
  readonly answer: Int32Array;
  readonly values: Float64Array<ArrayBuffer>;
  readonly leafWidth: number;
}

interface Rows {
  readonly values: Float64Array;
  readonly bits: Int32Array;
  readonly leafWidth: number;
  readonly slots: Int32Array;
}

/** Moves rows together, which stand in `values` in the order of their leaves, and lets equal leaves have the same one. Answers how many numbers are used. */
export function shareRows({ left, answer, values, leafWidth }: LeafTable): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const rows = { values, bits, leafWidth, slots: slotsFor(values.length / leafWidth) };
  let next = 0;
  for (let node = 0; node < left.length; node += 1) {
    if (left[node] !== node) continue;
    const place = keptAt(rows, answer[node] ?? 0, next);
    if (place === next) next += leafWidth;
    answer[node] = place;
  }
  return next;
}

/** Where a row equal to the one at `row` is kept: this one at `next` where there is none yet. */
function keptAt({ values, bits, leafWidth, slots }: Rows, row: number, next: number): number {
  const slot = slotOf(slots, bits, row, leafWidth);
  const known = slots[slot] ?? FREE;
  if (known !== FREE) return known;
  values.copyWithin(next, row, row + leafWidth);
  slots[slot] = next;
  return next;
}

/** Places for the beginnings of rows, by hash; as many as a power of two that leaves half of them free. */
function slotsFor(rows: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, 2 * rows)))).fill(FREE);
}

/** Where an equal row is noted, or where there is room for this one. */
function slotOf(slots: Int32Array, bits: Int32Array, row: number, leafWidth: number): number {
  const words = 2 * leafWidth;
  const mask = slots.length - 1;
  let slot = hashOf(bits, 2 * row, words) & mask;
  for (;;) {
    const known = slots[slot] ?? FREE;
    if (known === FREE || isSame(bits, 2 * known, 2 * row, words)) return slot;
    slot = (slot + 1) & mask;
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
