// Counts what came of the requests.
import type { LoadReport } from './contract.ts';
import { LatencyHistogram } from './latency.ts';

const SAMPLES = 20;
/** Reasons may hold text from outside; a flood of different ones must not fill the memory. */
const REASONS = 100;

type Counts = Record<string, number>;

export class Tally {
  readonly #latency = new LatencyHistogram();
  readonly #byVariant: Counts = {};
  readonly #byVersion: Counts = {};
  readonly #failures: Counts = {};
  readonly #samples: string[] = [];
  #ok = 0;
  #failed = 0;

  get requests(): number {
    return this.#ok + this.#failed;
  }

  succeeded(variant: string, version: string, milliseconds: number): void {
    this.#ok += 1;
    this.#latency.add(milliseconds);
    bump(this.#byVariant, variant);
    bump(this.#byVersion, version);
  }

  /** `at` is a time for people. */
  failed(reason: string, detail: string, at: string): void {
    this.#failed += 1;
    const isNew = this.#failures[reason] === undefined;
    bump(this.#failures, isNew && Object.keys(this.#failures).length >= REASONS ? 'other' : reason);
    if (this.#samples.length < SAMPLES) this.#samples.push(`${at} ${reason}: ${detail.slice(0, 200)}`);
  }

  counts(): Pick<
    LoadReport,
    'requests' | 'ok' | 'failed' | 'failures' | 'samples' | 'byVariant' | 'byVersion' | 'latencyMs'
  > {
    const latencyMs = {
      p50: this.#latency.quantile(0.5),
      p99: this.#latency.quantile(0.99),
      max: Math.round(this.#latency.max * 10) / 10,
    };
    return {
      requests: this.requests,
      ok: this.#ok,
      failed: this.#failed,
      failures: this.#failures,
      samples: this.#samples,
      byVariant: this.#byVariant,
      byVersion: this.#byVersion,
      latencyMs,
    };
  }
}

function bump(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
