// A request whose body has not come to its end: what there is of it, in the parts in which it came.

export class BegunRequest {
  readonly #parts: Buffer[];
  readonly #bytes: number;
  readonly #deadline: number;
  #have: number;

  /**
   * Copies what it is given. @param bytes of the whole request. @param deadline by `performance.now()`: clients that take longer are for node:http, which has
   * limits for them.
   */
  constructor(first: Buffer, bytes: number, deadline: number) {
    this.#parts = [Buffer.from(first)];
    this.#have = first.length;
    this.#bytes = bytes;
    this.#deadline = deadline;
  }

  add(part: Buffer): void {
    this.#parts.push(Buffer.from(part));
    this.#have += part.length;
  }

  get isWhole(): boolean {
    return this.#have >= this.#bytes;
  }

  isLate(now: number): boolean {
    return now > this.#deadline;
  }

  /** All that has come. */
  joined(): Buffer {
    return Buffer.concat(this.#parts, this.#have);
  }
}
