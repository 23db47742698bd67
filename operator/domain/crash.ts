// A candidate whose load ends the process: the first proof stops it, so that it is not tried on one pod after another.
import type { PodObserved } from './observed.ts';
import type { Rejection } from './status.ts';

/** A clean end, SIGKILL, SIGTERM: the kubelet and a node that is short of memory do that too, so that one of them proves nothing. */
const FROM_OUTSIDE: ReadonlySet<number> = new Set([0, 137, 143]);
const ENOUGH_FROM_OUTSIDE = 2;
/** Within this time the kubelet has told how a container ended. */
const VERDICT_MS = 30_000;

/** Why `revision` must not be tried on any other pod: a pod ended after it was told to load it. undefined: nothing proves that. */
export function crashOf(
  pods: readonly PodObserved[],
  revision: string,
): Pick<Rejection, 'reason' | 'message'> | undefined {
  const told = pods.filter((pod) => pod.told?.revision === revision);
  const crashed = told.filter(hasCrashed);
  const killed = crashed.find(({ crash }) => crash?.reason === 'OOMKilled');
  if (killed !== undefined) {
    return {
      reason: 'InsufficientMemory',
      message: `pod ${killed.name} was killed for memory while loading; raise resources.limits.memory`,
    };
  }
  const ends = told.reduce((sum, pod) => sum + (pod.told?.crashes ?? 0), crashed.length);
  const culprit =
    crashed.find(({ crash }) => crash !== undefined && !FROM_OUTSIDE.has(crash.exitCode)) ??
    (ends >= ENOUGH_FROM_OUTSIDE ? crashed[0] : undefined);
  if (culprit?.crash === undefined) return undefined;
  const { name, crash } = culprit;
  return {
    reason: 'LoadCrashed',
    message: `the server in pod ${name} ended with exit code ${crash.exitCode} while loading; see kubectl logs --previous ${name}`,
  };
}

/** Ms for which a pod that was told to load `revision`, and has been silent since, may yet turn out to have crashed; 0: not, or no longer. */
export function awaitsVerdict({ told, report, ready }: PodObserved, revision: string): number {
  if (told?.revision !== revision || (ready && report !== undefined)) return 0;
  return Math.max(0, VERDICT_MS - told.agoMs);
}

function hasCrashed({ told, crash }: PodObserved): boolean {
  return crash !== undefined && crash.id !== told?.crashId;
}
