// How often a peer agrees, for each pair of versions that have met, and what the last disagreements were.
import type { Comparison, Disagreement } from './compare.ts';

const MAX_PAIRS = 4;
const MAX_DISAGREEMENTS = 20;

export interface Pair {
  /** Version of the model that answered. */
  readonly version: string;
  /** Version that the peer says it answered with. */
  readonly peerVersion: string;
}

export interface PairAgreement extends Pair {
  readonly rows: number;
  readonly agreeing: number;
}

/** Of one peer. */
export class Agreement {
  /** The pair that was met last is the last. */
  readonly #pairs = new Map<string, PairAgreement>();
  #agreeing = 0;
  #disagreeing = 0;

  add({ version, peerVersion }: Pair, { rows, disagreeing }: Comparison): void {
    const key = JSON.stringify([version, peerVersion]);
    const before = this.#pairs.get(key) ?? { rows: 0, agreeing: 0 };
    const agreeing = rows - disagreeing;
    this.#pairs.delete(key);
    this.#pairs.set(key, { version, peerVersion, rows: before.rows + rows, agreeing: before.agreeing + agreeing });
    const [oldest] = this.#pairs.keys();
    if (this.#pairs.size > MAX_PAIRS && oldest !== undefined) this.#pairs.delete(oldest);
    this.#agreeing += agreeing;
    this.#disagreeing += disagreeing;
  }

  /** Rows of all versions; they only grow. */
  totals(): { readonly agree: number; readonly disagree: number } {
    return { agree: this.#agreeing, disagree: this.#disagreeing };
  }

  pairs(): readonly PairAgreement[] {
    return [...this.#pairs.values()];
  }
}

/** One request of which a row was answered differently. */
export interface Disagreed extends Disagreement, Pair {
  /** ISO 8601. */
  readonly time: string;
  readonly requestId: string;
  readonly path: string;
  readonly peer: string;
  /** Rows that differ, of which the first is shown. */
  readonly rows: number;
  /** Redacted; only where the settings want it. */
  readonly body?: unknown;
}

/** The last ones, newest first. */
export class Disagreements {
  #last: readonly Disagreed[] = [];

  add(disagreed: Disagreed): void {
    this.#last = [disagreed, ...this.#last].slice(0, MAX_DISAGREEMENTS);
  }

  get last(): readonly Disagreed[] {
    return this.#last;
  }
}
