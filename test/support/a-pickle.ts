// A small assembler for pickles, to write the hostile ones by hand.

type Part = string | Uint8Array;

/** Parts one after the other; text is taken as latin-1, one character per byte. */
export function pickle(...parts: readonly Part[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
  );
}

/** `module.name`, by GLOBAL. */
export function global(module: string, name: string): string {
  return `c${module}\n${name}\n`;
}

/** `module.name`, by STACK_GLOBAL. */
export function stackGlobal(module: string, name: string): string {
  return `${text(module)}${text(name)}\x93`;
}

/** SHORT_BINUNICODE. */
export function text(value: string): string {
  return `\x8c${String.fromCharCode(value.length)}${value}`;
}

/** Little-endian unsigned integer of `size` bytes. */
export function uint(value: number | bigint, size: 4 | 8): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes.toString('latin1', 0, size);
}

/** Replaces the only occurrence of `from`. */
export function spliced(file: Uint8Array, from: string, to: string): Uint8Array {
  const source = Buffer.from(file).toString('latin1');
  const parts = source.split(from);
  const [before, after] = parts;
  if (before === undefined || after === undefined) throw new Error(`nothing to replace: ${from}`);
  return new Uint8Array(Buffer.from(`${before}${to}${parts.slice(1).join(from)}`, 'latin1'));
}

/** A stream of numbers in [0, 1) that is the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
