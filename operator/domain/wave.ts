// Which pods reload next. A wave is never remembered: it follows from what the pods report.
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
 * The pods to tell next of `revision`: one while nobody has it, then `maxConcurrent` at a time. Pods that answer come first, then by name, so that
 * two passes over the same state choose the same pods.
 */
export function nextWave(
  pods: readonly PodObserved[],
  revision: string,
  maxConcurrent: string,
): readonly PodObserved[] {
  const ready = pods.filter((pod) => pod.ready);
  const moved = ready.filter((pod) => reportsRevision(pod, revision));
  const waiting = ready.filter((pod) => !reportsRevision(pod, revision));
  const size = moved.length === 0 ? 1 : waveSize(maxConcurrent, ready.length);
  return [...waiting].sort(byAnswerThenName).slice(0, size);
}

function byAnswerThenName(a: PodObserved, b: PodObserved): number {
  const silence = Number(a.report === undefined) - Number(b.report === undefined);
  return silence === 0 ? (a.name < b.name ? -1 : 1) : silence;
}
