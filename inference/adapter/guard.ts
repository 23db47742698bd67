// Watches the container between two loads: one that restarts finds its file, one that lost its model (a failed reload that somebody else called, say) gets it
// handed over again.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Handover } from './handover.ts';

const LONGEST_PAUSE_MS = 60_000;
/** A single look may meet a container that is just starting. */
const LOST_LOOKS = 2;

/** Runs until `signal` ends it. Never throws. `isLoading`: somebody is bringing the container to another version. */
export async function guard(
  handover: Pick<Handover, 'look' | 'mend' | 'problem'>,
  { checkMs, isLoading }: { readonly checkMs: number; readonly isLoading: () => boolean },
  signal: AbortSignal,
): Promise<void> {
  let lost = 0;
  let pauseMs = checkMs;
  while (await isStillRunning(pauseMs, signal)) {
    const seen = await handover.look(signal).catch(() => undefined);
    const isLost = handover.problem !== undefined && (seen === 'empty' || seen === 'serving');
    lost = isLost ? lost + 1 : 0;
    if (!isLost) pauseMs = checkMs;
    if (lost < LOST_LOOKS || isLoading()) continue;
    await handover.mend(signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** False when `signal` ended the wait. */
async function isStillRunning(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
