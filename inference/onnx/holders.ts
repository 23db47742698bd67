// Frees something once nobody uses it: when it has been closed and the last holder is gone.
export class Holders {
  readonly #free: () => void;
  #count = 0;
  #isClosed = false;
  #isFree = false;

  constructor(free: () => void) {
    this.#free = free;
  }

  /** Answers the function that ends the hold; it may be called once. */
  hold(): () => void {
    this.#count += 1;
    return () => {
      this.#count -= 1;
      this.#freeUnused();
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#freeUnused();
  }

  #freeUnused(): void {
    if (!this.#isClosed || this.#count > 0 || this.#isFree) return;
    this.#isFree = true;
    this.#free();
  }
}
