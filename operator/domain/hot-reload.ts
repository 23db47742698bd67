// How a variant takes a new artifact version inside its running pods:
//
//   stable ──new version──► candidate ──one pod, then waves──► every pod reports it ──► stable (the pin moves)
//                              │  a pod refuses the artifact
//                              └──► rejected: pods that moved go back, never tried again by itself
//
// Everything follows from (spec, status, what pods report, now); nothing is remembered between passes but the status.
import { ARTIFACT_REASONS } from '../../inference/contract.ts';
import { clip } from './conditions.ts';
import { awaitsVerdict, crashOf } from './crash.ts';
import type { PodObserved } from './observed.ts';
import type { Candidate, Rejection, VariantStatus } from './status.ts';
import { livePods, nextWave, reportsRevision } from './wave.ts';

/** The part of a variant's status that a rollout moves. */
export type RolloutState = Pick<VariantStatus, 'stable' | 'previous' | 'candidate' | 'rejected' | 'sequence'>;

export interface HotReloadSettings {
  readonly maxConcurrent: string;
  readonly soakMs: number;
  readonly progressDeadlineMs: number;
  /** A version may have other features, classes or outputs than the stable one. */
  readonly allowSchemaChange: boolean;
}

export interface VariantInput {
  readonly state: RolloutState;
  /** The first pass since the resource is no longer suspended. */
  readonly resumed: boolean;
  /** The revision that spec and store ask for; undefined while the store has not answered. */
  readonly target: string | undefined;
  /** Some pod has loaded the stable revision at some time. */
  readonly proven: boolean;
  readonly pods: readonly PodObserved[];
  /** The pods have the template of the revision asked for. */
  readonly rolledOut: boolean;
  readonly replicas: number;
  readonly suspended: boolean;
  readonly settings: HotReloadSettings;
}

export interface ReloadCall {
  readonly pod: PodObserved;
  readonly revision: string;
  readonly allowSchemaChange: boolean;
}

const MAX_REJECTED = 5;
const GONE_REASONS: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchBucket', 'ObjectChanged']);

/** The state after this pass. Total: never throws. Planning its own result again changes nothing. */
export function nextRolloutState(input: VariantInput, now: number): RolloutState {
  const { target } = input;
  const state = withoutPardoned(withTimeAnew(aboveReported(input), input, now), input);
  if (input.suspended || target === undefined) return state;
  if (state.stable === undefined) return { sequence: state.sequence + 1, stable: target };
  if (target === state.stable) return withRefusedStable(withoutCandidate(state), input, now);
  if (isRejected(state, target)) return withoutCandidate(state);
  if (isReplaceable(input)) return { ...withoutCandidate(state), stable: target, sequence: state.sequence + 1 };
  if (state.candidate?.revision !== target) return started(state, target, input, now);
  return advanced(state, state.candidate, input, now);
}

/** The reload calls that the state asks for: the next wave, and every other pod that serves something it should not. */
export function reloadCalls(state: RolloutState, input: VariantInput, now: number): readonly ReloadCall[] {
  const { candidate, stable } = state;
  if (stable === undefined) return [];
  const pods = livePods(input.pods);
  const wave =
    candidate && isMoving(candidate, input, now)
      ? nextWave(pods, candidate.revision, input.settings.maxConcurrent)
      : [];
  const lost = pods.filter(
    (pod) => !wave.includes(pod) && (isLost(pod, state) || mayBeLoading(pod, state) || loadsSuperseded(pod, state)),
  );
  const { allowSchemaChange } = input.settings;
  return [
    ...wave.map((pod) => ({ pod, revision: candidate?.revision ?? stable, allowSchemaChange })),
    // Clients expect the promoted version, whatever the pod has in its place.
    ...lost.map((pod) => ({ pod, revision: stable, allowSchemaChange: true })),
  ];
}

/** Milliseconds until this state has to be looked at again although nothing happened; undefined when only an event can change it. */
export function recheckAfter(
  { candidate }: RolloutState,
  pods: readonly PodObserved[],
  now: number,
): number | undefined {
  if (candidate === undefined) return undefined;
  const verdicts = pods.map((pod) => awaitsVerdict(pod, candidate.revision));
  const deadlines = [candidate.soakUntil, candidate.deadline].flatMap((time) =>
    time === undefined ? [] : [Date.parse(time) - now],
  );
  const ahead = [...deadlines, ...verdicts].filter((ms) => ms > 0);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

/** The variant has refused that revision and does not try it again by itself. */
export function isRejected(state: RolloutState, revision: string): boolean {
  return state.rejected?.some((rejection) => rejection.revision === revision) ?? false;
}

/** True while a rollout has passed its deadline: reported, never a reason to reject. */
export function isOverdue(state: RolloutState, now: number): boolean {
  return state.candidate !== undefined && Date.parse(state.candidate.deadline) <= now;
}

/** A pod has seen a higher number than status knows (status was restored from a backup): without a higher one it would refuse every call. */
function aboveReported({ state, pods }: VariantInput): RolloutState {
  const seen = Math.max(0, ...livePods(pods).map((pod) => pod.report?.sequence ?? 0));
  return seen > state.sequence ? { ...state, sequence: seen + 1 } : state;
}

/** Time does not count while a rollout is suspended: it gets its whole deadline again. */
function withTimeAnew(state: RolloutState, { resumed, settings }: VariantInput, now: number): RolloutState {
  if (!resumed || state.candidate === undefined) return state;
  return { ...state, candidate: { ...state.candidate, deadline: iso(now + settings.progressDeadlineMs) } };
}

/** What was refused for its schema alone gets another try where that is allowed by now. */
function withoutPardoned(state: RolloutState, { settings }: VariantInput): RolloutState {
  const { rejected } = state;
  if (!settings.allowSchemaChange || rejected === undefined) return state;
  return { ...state, rejected: rejected.filter(({ reason }) => reason !== 'SchemaIncompatible') };
}

function isMoving(candidate: Candidate, input: VariantInput, now: number): boolean {
  const soaking = candidate.soakUntil !== undefined && Date.parse(candidate.soakUntil) > now;
  return input.rolledOut && !input.suspended && !soaking;
}

/** A pod that is up and serves neither the stable nor the candidate revision. One that is still starting is left to finish by itself. */
function isLost(pod: PodObserved, state: RolloutState): boolean {
  if (pod.report === undefined || state.stable === undefined) return false;
  const { artifact, failure } = pod.report;
  const wanted = [state.stable, state.candidate?.revision];
  if (artifact?.revision !== undefined && wanted.includes(artifact.revision)) return false;
  const starting = artifact === null && failure === undefined;
  return !starting && refusalOf(pod, state.stable, state.sequence) === undefined;
}

/**
 * A candidate was given up while this pod may still have been loading it: a call with the higher sequence ends that load, else the pod would serve
 * in the end what nobody wants any more. One that has refused it loads nothing.
 */
function mayBeLoading({ report }: PodObserved, state: RolloutState): boolean {
  if (state.candidate !== undefined || report === undefined || report.artifact === null) return false;
  const { failure, sequence } = report;
  const hasRefused = failure !== undefined && failure.sequence >= sequence && isArtifactReason(failure.reason);
  return sequence < state.sequence && !hasRefused;
}

/** It is loading what nobody wants any more, for a call that a newer decision has overtaken. One that has nothing yet is left to finish. */
function loadsSuperseded({ report }: PodObserved, { stable, candidate, sequence }: RolloutState): boolean {
  if (report?.loading === undefined || report.artifact === null) return false;
  const { revision } = report.loading;
  return report.loading.sequence < sequence && revision !== stable && revision !== candidate?.revision;
}

/** Nothing good can be lost: no pod has ever loaded the stable revision, or no pod is ready and every one that answers cannot have it. */
function isReplaceable({ proven, pods, state }: VariantInput): boolean {
  if (!proven) return true;
  const live = livePods(pods);
  const answering = live.filter((pod) => pod.report !== undefined);
  return (
    answering.length > 0 && live.every((pod) => !pod.ready) && answering.every((pod) => cannotHave(pod, state.stable))
  );
}

/** The pod has nothing, since the revision is bad or no longer in the store: an upload has destroyed it in a bucket without versions. */
function cannotHave({ report }: PodObserved, revision: string | undefined): boolean {
  const failure = report?.failure;
  if (failure === undefined || report?.artifact !== null || failure.revision !== revision) return false;
  return isArtifactReason(failure.reason) || GONE_REASONS.has(failure.reason);
}

function started(state: RolloutState, revision: string, input: VariantInput, now: number): RolloutState {
  const candidate: Candidate = {
    revision,
    startedAt: iso(now),
    deadline: iso(now + input.settings.progressDeadlineMs),
    loaded: movedTo(revision, input.pods).length,
  };
  return { ...state, candidate, sequence: state.sequence + 1 };
}

function advanced(state: RolloutState, candidate: Candidate, input: VariantInput, now: number): RolloutState {
  const refusal = firstRefusal(input.pods, candidate, state.sequence);
  if (refusal !== undefined)
    return rejected(withoutCandidate(state), { revision: candidate.revision, ...refusal, time: iso(now) });
  if (!input.rolledOut) return state;
  const ready = livePods(input.pods).filter((pod) => pod.ready);
  const moved = movedTo(candidate.revision, ready).length;
  const reached = afterWave(candidate, moved, input.settings, now);
  const complete = moved === ready.length && (moved > 0 || input.replicas === 0);
  if (complete && isMoving(reached, input, now)) return promoted(state, reached);
  return reached === candidate ? state : { ...state, candidate: reached };
}

function movedTo(revision: string, pods: readonly PodObserved[]): readonly PodObserved[] {
  return livePods(pods).filter((pod) => pod.ready && reportsRevision(pod, revision));
}

/** More pods have it than ever: the next wave waits for the soak, and the deadline counts anew. */
function afterWave(
  candidate: Candidate,
  moved: number,
  { soakMs, progressDeadlineMs }: HotReloadSettings,
  now: number,
): Candidate {
  if (moved <= candidate.loaded) return candidate;
  const soak = soakMs > 0 ? { soakUntil: iso(now + soakMs) } : {};
  return { ...candidate, loaded: moved, deadline: iso(now + soakMs + progressDeadlineMs), ...soak };
}

function promoted(state: RolloutState, candidate: Candidate): RolloutState {
  const { candidate: done, stable, ...rest } = state;
  return { ...rest, ...(stable !== undefined && { previous: stable }), stable: (done ?? candidate).revision };
}

function withoutCandidate(state: RolloutState): RolloutState {
  const { candidate, ...rest } = state;
  return candidate === undefined ? state : { ...rest, sequence: state.sequence + 1 };
}

function rejected(state: RolloutState, rejection: Rejection): RolloutState {
  const others = (state.rejected ?? []).filter(({ revision }) => revision !== rejection.revision);
  return { ...state, rejected: [...others, rejection].slice(-MAX_REJECTED) };
}

/** The very first artifact has nothing to fall back to: a refusal of it is recorded, so that status says why nothing serves. */
function withRefusedStable(state: RolloutState, input: VariantInput, now: number): RolloutState {
  if (input.proven || state.stable === undefined || isRejected(state, state.stable)) return state;
  for (const pod of livePods(input.pods)) {
    const refusal = refusalOf(pod, state.stable, 0);
    if (refusal !== undefined) return rejected(state, { revision: state.stable, ...refusal, time: iso(now) });
  }
  return state;
}

function firstRefusal(
  pods: readonly PodObserved[],
  candidate: Candidate,
  sequence: number,
): Pick<Rejection, 'reason' | 'message'> | undefined {
  for (const pod of pods) {
    const refusal = refusalOf(pod, candidate.revision, sequence);
    if (refusal !== undefined) return refusal;
  }
  return crashOf(
    pods.filter(({ terminating }) => !terminating),
    candidate.revision,
  );
}

function refusalOf(
  pod: PodObserved,
  revision: string | undefined,
  sequence: number,
): Pick<Rejection, 'reason' | 'message'> | undefined {
  const failure = pod.report?.failure;
  if (
    failure === undefined ||
    failure.revision !== revision ||
    failure.sequence < sequence ||
    !isArtifactReason(failure.reason)
  )
    return undefined;
  return { reason: failure.reason, message: clip(failure.message) };
}

function isArtifactReason(reason: string): boolean {
  return ARTIFACT_REASONS.some((known) => known === reason);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
