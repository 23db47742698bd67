// Which variant each key met: once the weights of a phase are settled, a key has one variant, and between two phases it moves only towards a variant
// whose share grew.
import type { Expectation } from './contract.ts';

const UNKNOWN = 255;

export class KeyHistory {
  readonly #variants: string[] = [];
  /** By key: the variant in the phase before, and in this one. */
  #before: Uint8Array;
  #now: Uint8Array;
  #phase: string;
  #gained: ReadonlySet<string>;
  /** Requests that began at this expectation or later are judged strictly; undefined until the phase is settled. */
  #settledAt: number | undefined;

  constructor(keys: number, first: Expectation) {
    this.#before = new Uint8Array(keys).fill(UNKNOWN);
    this.#now = new Uint8Array(keys).fill(UNKNOWN);
    this.#phase = first.phase;
    this.#gained = new Set(first.gained);
    this.#settledAt = first.settled ? 0 : undefined;
  }

  /** An expectation with its index. A new phase begins where the last one ended. */
  expect({ phase, gained, settled }: Expectation, index: number): void {
    if (phase !== this.#phase) {
      this.#before = this.#now.map((variant, key) => (variant === UNKNOWN ? (this.#before[key] ?? UNKNOWN) : variant));
      this.#now = new Uint8Array(this.#now.length).fill(UNKNOWN);
      this.#phase = phase;
      this.#settledAt = undefined;
    }
    this.#gained = new Set(gained);
    if (settled) this.#settledAt ??= index;
  }

  /** Notes that a request which began at expectation `since` met `variant`. Returns what is wrong with that. */
  observe(key: number, variant: string, since: number): string | undefined {
    const index = this.#indexOf(variant);
    const now = this.#now[key] ?? UNKNOWN;
    const isStrict = this.#settledAt !== undefined && since >= this.#settledAt;
    if (now !== UNKNOWN && now !== index && isStrict)
      return `a key left ${this.#nameOf(now)} for ${variant} while the weights stayed`;
    if (!this.#mayMove(key, index)) return `a key moved to ${variant}, whose share did not grow`;
    if (isStrict) this.#now[key] = index;
    return undefined;
  }

  /** Distinct keys by variant since the phase settled. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const variant of this.#now) {
      if (variant === UNKNOWN) continue;
      const name = this.#nameOf(variant);
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  moved(): number {
    return this.#now.reduce((sum, variant, key) => {
      const before = this.#before[key];
      return variant !== UNKNOWN && before !== UNKNOWN && variant !== before ? sum + 1 : sum;
    }, 0);
  }

  #mayMove(key: number, to: number): boolean {
    const before = this.#before[key] ?? UNKNOWN;
    return before === UNKNOWN || before === to || this.#gained.has(this.#nameOf(to));
  }

  #indexOf(variant: string): number {
    const known = this.#variants.indexOf(variant);
    return known >= 0 ? known : this.#variants.push(variant) - 1;
  }

  #nameOf(index: number): string {
    return this.#variants[index] ?? '?';
  }
}
