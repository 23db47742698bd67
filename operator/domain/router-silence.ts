// A router that does not say what it applies holds up every change of weights: how often it is asked, and when its pod is replaced instead. Pure.
import type { RouterObserved, RouterPodObserved } from './observed.ts';

/**
 * Twice the minute in which the kubelet restarts an agent that hangs, or takes a pod of a lost node out of the Services: whoever is silent for
 * longer, though its probes pass, does not come back by itself.
 */
export const MUTE_DEADLINE_MS = 120_000;
/** Replacing one after another helps nobody when the routers are fine and the way to them is not. */
const LONGEST_DEADLINE_MS = 3_600_000;
/** Before that a silence is not worth a word in status: agents restart. */
const WORTH_TELLING_MS = 10_000;
const FIRST_POLL_MS = 250;
const LAST_POLL_MS = 5000;

/** Ms until routers that have not confirmed for `waitedMs` are asked again: quickly after a change, ever more slowly when nothing comes of it. */
export function confirmationPollMs(waitedMs: number): number {
  return Math.min(LAST_POLL_MS, Math.max(FIRST_POLL_MS, waitedMs / 8));
}

/** A router that is ready, or that is going away but still answers, since it may still pass on requests. */
export function isServing(pod: RouterPodObserved): boolean {
  return pod.terminating ? pod.applied !== undefined : pod.ready;
}

/** It has had all the time that a router gets to answer. */
export function isMute({ silence }: RouterPodObserved): boolean {
  return silence !== undefined && silence.ms >= MUTE_DEADLINE_MS;
}

/** Names of serving routers that have been silent for so long that people should know. */
export function silentRouters(pods: readonly RouterPodObserved[]): readonly string[] {
  return pods.filter((pod) => isServing(pod) && (pod.silence?.ms ?? 0) >= WORTH_TELLING_MS).map(({ name }) => name);
}

/**
 * The router pod to delete now, so that another one takes its place: the one that has been silent for longest. One at a time, and not while it may be
 * the last to serve: another one answers, or this one never has. The deadline doubles with each that was replaced in vain.
 */
export function routerToReplace({ pods, replaced = 0 }: RouterObserved): RouterPodObserved | undefined {
  if (pods.some(({ terminating }) => terminating)) return undefined;
  const deadlineMs = Math.min(LONGEST_DEADLINE_MS, MUTE_DEADLINE_MS * 2 ** replaced);
  const [mute] = pods
    .filter((pod) => pod.ready && (pod.silence?.ms ?? 0) >= deadlineMs)
    .toSorted((a, b) => (b.silence?.ms ?? 0) - (a.silence?.ms ?? 0) || (a.name < b.name ? -1 : 1));
  const another = pods.some((pod) => pod !== mute && pod.ready && pod.applied !== undefined);
  return another || mute?.silence?.hasAnswered === false ? mute : undefined;
}
