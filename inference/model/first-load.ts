// The first model of a process, and the polling of a server that runs alone.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isTransient, loadErrorOf } from '../errors.ts';
import type { LoadError } from '../errors.ts';
import type { LoadRequest } from './load-request.ts';
import type { Slot } from './slot.ts';
import type { Store, Version, Wanted } from './store.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export interface Pace {
  readonly firstMs?: number;
  readonly lastMs?: number;
  /** Failures that are tried again too, beside those of the store. */
  readonly retries?: (failure: LoadError) => boolean;
}

/**
 * Loads what the server was started for. A store that fails is asked again, with growing pauses, until a reload call says something else; a bad
 * artifact is not: nothing about it changes by itself. Never throws: the failure is in `slot.failure`.
 */
export async function loadFirst(
  slot: Slot,
  request: LoadRequest,
  signal: AbortSignal,
  { firstMs = FIRST_RETRY_MS, lastMs = LAST_RETRY_MS, retries = () => false }: Pace = {},
): Promise<void> {
  for (let wait = firstMs; !signal.aborted; wait = Math.min(wait * 2, lastMs)) {
    if (slot.current !== undefined || slot.sequence > request.sequence) return;
    try {
      await slot.load(request);
      return;
    } catch (error) {
      const failure = loadErrorOf(error);
      if (!isTransient(failure.reason) && !retries(failure)) return;
    }
    await pause(wait * (0.75 + Math.random() / 2), signal);
  }
}

/** Loads whatever a key holds, each time that it holds something else. A version that was refused is not tried again. Ends with `signal`. */
export async function poll(
  { slot, store, key, everyMs, log }: { slot: Slot; store: Store; key: string; everyMs: number; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { current } = slot;
  let seen = current === undefined ? undefined : identityOf(current.active);
  let told: string | undefined;
  while (await pause(everyMs, signal)) {
    try {
      const found = await store.look(key, signal);
      told = undefined;
      if (identityOf(found) === seen) continue;
      const refused = await tryLoad(slot, found);
      if (refused === undefined || !isTransient(refused.reason)) seen = identityOf(found);
    } catch (error) {
      const detail = loadErrorOf(error).message;
      if (detail !== told && !signal.aborted) log.warn({ detail, key }, 'the store does not say what the key holds');
      told = detail;
    }
  }
}

async function tryLoad(slot: Slot, found: Version): Promise<LoadError | undefined> {
  try {
    await slot.load({ ...found, sequence: slot.sequence, keep: [] });
    return undefined;
  } catch (error) {
    return loadErrorOf(error);
  }
}

/** Waits; false when `signal` ended the wait. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

function identityOf({ versionId, etag }: Omit<Wanted, 'key'>): string {
  return JSON.stringify([versionId, etag]);
}
