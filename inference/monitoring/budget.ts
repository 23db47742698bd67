// How much may be counted: at most so many numbers a second, so that watching takes a bounded share of the processor, however wide or many the rows are.

/** A number takes about 20 ns to count: this is a thousandth of a core. Of 12 features it is 4,000 rows a second, far more than an index needs. */
const PER_MS = 50;
const MOST = 1000 * PER_MS;

export class Budget {
  #left = MOST;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Of `count` rows of `width` numbers one in this many is to be counted; 0: none. */
  stride(count: number, width: number, now: number): number {
    this.#left = Math.min(MOST, this.#left + (now - this.#at) * PER_MS);
    this.#at = now;
    const affordable = Math.floor(this.#left / width);
    if (count === 0 || affordable <= 0) return 0;
    const stride = Math.ceil(count / affordable);
    this.#left -= Math.ceil(count / stride) * width;
    return stride;
  }
}
