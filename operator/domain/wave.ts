// Which pods reload next. A wave is never remembered: it follows from what the pods report.
import { awaitsVerdict } from './crash.ts';
import type { PodObserved } from './observed.ts';

/** Pods that take part in a rollout: ready or not, but alive and reachable by address. */
export function livePods(pods: readonly PodObserved[]): readonly PodObserved[] {
  return pods.filter((pod) => !pod.terminating && pod.ip !== undefined);
}

/** The pod says itself that it serves that revision. */
export function reportsRevision(pod: PodObserved, revision: string): boolean {
  return pod.report?.artifact?.revision === revision;
}

/** Pods of one wave: `2` or `25%` of the replicas, rounded up, at least one. */
export function waveSize(maxConcurrent: string, replicas: number): number {
  const amount = Number.parseInt(maxConcurrent, 10);
  return Math.max(1, maxConcurrent.endsWith('%') ? Math.ceil((replicas * amount) / 100) : amount);
}

/**
 * The pods to tell next of `revision`: one while nobody has it, then `maxConcurrent` at a time, in an order by which two passes over the same state
 * choose the same pods. Nobody while a pod may have crashed over it: first it has to be clear how that one ended.
 */
export function nextWave(
  pods: readonly PodObserved[],
  revision: string,
  maxConcurrent: string,
): readonly PodObserved[] {
  if (pods.some((pod) => !pod.ready && awaitsVerdict(pod, revision) > 0)) return [];
  const ready = pods.filter((pod) => pod.ready);
  const moved = ready.filter((pod) => reportsRevision(pod, revision));
  const waiting = ready.filter((pod) => !reportsRevision(pod, revision));
  const size = moved.length === 0 ? 1 : waveSize(maxConcurrent, ready.length);
  return waiting.toSorted((a, b) => rank(a, revision) - rank(b, revision) || (a.name < b.name ? -1 : 1)).slice(0, size);
}

/** Pods that were told already come first, also when they have just gone silent; then those that answer. */
function rank(pod: PodObserved, revision: string): number {
  if (awaitsVerdict(pod, revision) > 0) return 0;
  if (pod.report === undefined) return 3;
  return pod.told?.revision === revision ? 1 : 2;
}
