// Whether the container serves the version that it was told to load: one look after the other, and how long it has been without a model. Pure.
import { LoadError } from '../load-error.ts';
import type { Look } from './neighbour.ts';

export interface Evidence {
  /** The mark that it had before it was told to; undefined: it had no model, so that any model is a new one. */
  readonly formerMark: string | undefined;
  readonly expectedVersion: string | undefined;
  /** When it was told to, in milliseconds of the clock that `isProven` is given too. */
  readonly sinceMs: number;
  /** Longest time until it shows the new model. */
  readonly reloadMs: number;
  /** Longest time without a model on the way there. */
  readonly unreadyMs: number;
  /** How long an unchanged mark has to stand where marks do not change with each load. */
  readonly settleMs: number;
}

export class Judge {
  readonly #evidence: Evidence;
  #withoutSince: number | undefined;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  /** True: it serves the new version. False: look again. Throws LoadError: LoadFailed (it says no), LoadTimeout (it says nothing new). */
  isProven(seen: Look, nowMs: number): boolean {
    const { formerMark, expectedVersion, sinceMs, settleMs } = this.#evidence;
    if (seen.kind === 'silent') return this.#waits(nowMs, `it does not answer (${seen.detail})`);
    if (seen.kind !== 'serving') return this.#isWithout(nowMs, `it has no model (${seen.detail})`);
    if (isOther(seen.version, expectedVersion)) {
      const says = `it says version ${shown(seen.version)}, the artifact is ${shown(expectedVersion)}`;
      return seen.mark === formerMark ? this.#waits(nowMs, says) : this.#isWithout(nowMs, says);
    }
    this.#withoutSince = undefined;
    if (formerMark === undefined || seen.mark !== formerMark) return true;
    return seen.marksLoads ? this.#waits(nowMs, 'it has the model from before') : nowMs - sinceMs >= settleMs;
  }

  #waits(nowMs: number, why: string): false {
    const { sinceMs, reloadMs } = this.#evidence;
    this.#withoutSince = undefined;
    if (nowMs - sinceMs < reloadMs) return false;
    throw new LoadError('LoadTimeout', `The server does not show the new model after ${reloadMs} ms: ${why}`);
  }

  #isWithout(nowMs: number, why: string): false {
    this.#withoutSince ??= nowMs;
    if (nowMs - this.#withoutSince < this.#evidence.unreadyMs) return false;
    throw new LoadError('LoadFailed', `The server did not load the model: ${why}`);
  }
}

/** Both versions are known, and differ. */
export function isOther(version: string | undefined, expected: string | undefined): boolean {
  return version !== undefined && expected !== undefined && version !== expected;
}

function shown(version: string | undefined): string {
  return JSON.stringify((version ?? '').slice(0, 100));
}
