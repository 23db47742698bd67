// From facts to conditions: an ordered chain of pure checks, one reason a line. Reasons are stable: docs and alerts name them.
import { finding, type Finding } from './conditions.ts';
import { isOverdue, isRejected, type RolloutState } from './hot-reload.ts';
import type { ArtifactState, Obstacle, PodObserved } from './observed.ts';
import type { Rejection } from './status.ts';
import type { TrafficPlan } from './traffic.ts';
import { livePods, reportsRevision } from './wave.ts';

/** All that conditions need to know of one variant. */
export interface VariantFacts {
  readonly name: string;
  readonly weight: number;
  readonly replicas: number;
  readonly state: RolloutState;
  readonly artifact: ArtifactState;
  readonly target: string | undefined;
  readonly pods: readonly PodObserved[];
  /** Why Kubernetes does not make the pods: quota, admission, image; as its own words. */
  readonly workloadProblem?: string;
  /** Spec and stable revision agree in all but the artifact's version: what is refused is an upload, not an edit. */
  readonly onlyArtifactDiffers: boolean;
  readonly versioned: boolean | undefined;
  /** Since when the store has not known the key, epoch ms. */
  readonly missingSince: number | undefined;
}

export interface Assessment {
  readonly suspended: boolean;
  readonly progressDeadlineMs: number;
  readonly variants: readonly VariantFacts[];
  readonly traffic: TrafficPlan;
  readonly obstacles: readonly Obstacle[];
}

/** Every condition of the resource, from this pass's facts. */
export function assess(facts: Assessment, now: number): readonly Finding[] {
  const available = assessAvailable(facts);
  const parts = [
    assessResolved(facts),
    available,
    assessUpToDate(facts),
    assessDurable(facts),
    assessLoaded(facts),
    assessTraffic(facts.traffic),
  ];
  const stalled = findStalled(facts, now);
  const reconciling = stalled ?? findReconciling(facts, parts);
  const ready =
    reconciling === undefined
      ? finding('Ready', available.status, available.status === 'True' ? 'Ready' : available.reason, available.message)
      : finding('Ready', false, reconciling.reason, reconciling.message);
  const abnormal = stalled === undefined ? (reconciling === undefined ? [] : [reconciling]) : [stalled];
  return [ready, ...abnormal, ...parts];
}

/** The refusal that the present spec and store lead to; undefined when what they ask for is not refused. */
export function refusalOfTarget(variant: Pick<VariantFacts, 'state' | 'target'>): Rejection | undefined {
  const { state, target } = variant;
  return target === undefined || !isRejected(state, target)
    ? undefined
    : state.rejected?.find(({ revision }) => revision === target);
}

/** Live pods that are ready and serve what they should: the stable or, while it is rolled out, the candidate revision. */
export function servingPods(variant: Pick<VariantFacts, 'pods' | 'state'>): readonly PodObserved[] {
  const { stable, candidate } = variant.state;
  return livePods(variant.pods).filter(
    (pod) =>
      pod.ready &&
      ((stable !== undefined && reportsRevision(pod, stable)) ||
        (candidate !== undefined && reportsRevision(pod, candidate.revision))),
  );
}

/** Ready pods that report the desired revision: the candidate while there is one, else the stable one. */
export function loadedPods(variant: Pick<VariantFacts, 'pods' | 'state'>): readonly PodObserved[] {
  const desired = variant.state.candidate?.revision ?? variant.state.stable;
  return desired === undefined ? [] : servingPods(variant).filter((pod) => reportsRevision(pod, desired));
}

function assessAvailable({ variants }: Assessment): Finding {
  const weighted = variants.filter(({ weight }) => weight > 0);
  if (weighted.length > 0 && weighted.every(({ replicas }) => replicas === 0)) {
    return finding('Available', true, 'ScaledToZero', 'no pods are asked for: nothing serves');
  }
  const down = weighted.filter((variant) => variant.replicas > 0 && servingPods(variant).length === 0);
  if (down.length === 0) {
    return finding('Available', true, 'VariantsAvailable', 'every variant with weight has a pod that serves');
  }
  return finding('Available', false, 'NoReadyPods', `no pod serves ${names(down)}${problem(down[0])}`);
}

function assessUpToDate({ variants, suspended }: Assessment): Finding {
  for (const variant of variants) {
    const refusal = refusalOfTarget(variant);
    if (refusal !== undefined)
      return finding('UpToDate', false, 'ArtifactRejected', `${variant.name}: ${refusal.reason}: ${refusal.message}`);
  }
  const waiting = variants.filter(({ target }) => target === undefined);
  if (waiting.length > 0)
    return finding('UpToDate', 'Unknown', 'ArtifactUnknown', `the artifact of ${names(waiting)} is not resolved`);
  const behind = variants.filter(({ state, target }) => state.stable !== target);
  if (behind.length === 0)
    return finding('UpToDate', true, 'UpToDate', 'every variant serves the version that the spec and the store name');
  const reason = suspended ? 'Suspended' : 'RolloutInProgress';
  return finding(
    'UpToDate',
    false,
    reason,
    behind.map((variant) => `${variant.name}: ${variant.state.stable ?? 'none'} to ${variant.target ?? ''}`).join('; '),
  );
}

function assessResolved({ variants }: Assessment): Finding {
  for (const { name, artifact } of variants) {
    if (artifact.kind !== 'failed') continue;
    const unknown = artifact.reason === 'StoreUnreachable' || artifact.reason === 'Throttled';
    return finding('ArtifactResolved', unknown ? 'Unknown' : 'False', artifact.reason, `${name}: ${artifact.message}`);
  }
  const pending = variants.filter(({ artifact }) => artifact.kind === 'pending');
  if (pending.length > 0)
    return finding('ArtifactResolved', 'Unknown', 'Pending', `asking the store about ${names(pending)}`);
  return finding('ArtifactResolved', true, 'Resolved', 'the store has every key');
}

function assessDurable({ variants }: Assessment): Finding {
  const fragile = variants.filter(({ versioned }) => versioned === false);
  if (fragile.length > 0) {
    const advice = 'an upload over the key destroys the promoted bytes; enable versioning where the store has it';
    return finding('ArtifactDurable', false, 'BucketNotVersioned', `${names(fragile)}: ${advice}`);
  }
  if (variants.some(({ versioned }) => versioned === undefined))
    return finding('ArtifactDurable', 'Unknown', 'Pending', 'no artifact resolved yet');
  return finding('ArtifactDurable', true, 'Versioned', 'promoted versions stay in the bucket');
}

function assessLoaded({ variants }: Assessment): Finding {
  const loaded = variants.reduce((sum, variant) => sum + loadedPods(variant).length, 0);
  const wanted = variants.reduce((sum, variant) => sum + variant.replicas, 0);
  if (loaded >= wanted)
    return finding('ModelLoaded', true, 'Loaded', `${loaded}/${wanted} pods report the desired version`);
  for (const variant of variants) {
    const failure = livePods(variant.pods).find(
      (pod) => pod.report?.failure !== undefined && pod.report.artifact === null,
    )?.report?.failure;
    if (failure !== undefined)
      return finding('ModelLoaded', false, failure.reason, `${variant.name}: ${failure.message}`);
  }
  return finding('ModelLoaded', false, 'Loading', `${loaded}/${wanted} pods report the desired version`);
}

function assessTraffic(traffic: TrafficPlan): Finding {
  if (traffic.held.length > 0) {
    return finding(
      'TrafficApplied',
      false,
      'InsufficientCapacity',
      `waiting for ready pods of ${traffic.held.join(', ')} before it gets more traffic`,
    );
  }
  if (traffic.silent.length > 0) {
    const routers = traffic.silent.join(', ');
    return finding(
      'TrafficApplied',
      false,
      'WaitingForRouters',
      `router ${routers} is ready but does not answer; it is replaced if that goes on`,
    );
  }
  if (!traffic.acknowledged)
    return finding('TrafficApplied', false, 'WaitingForRouters', 'not every serving router has confirmed the weights');
  if (traffic.skipped.length > 0) {
    return finding(
      'TrafficApplied',
      false,
      'VariantDown',
      `${traffic.skipped.join(', ')} has no ready pod; the others take its share`,
    );
  }
  return finding(
    'TrafficApplied',
    true,
    'Applied',
    traffic.mode === 'HAProxy' ? 'every serving router confirms the weights' : 'the Service points at the variant',
  );
}

function findStalled(facts: Assessment, now: number): Finding | undefined {
  const obstacle = facts.obstacles[0];
  if (obstacle !== undefined) return finding('Stalled', true, obstacle.reason, obstacle.message);
  for (const variant of facts.variants) {
    const refusal = refusalOfTarget(variant);
    if (refusal !== undefined && (!variant.onlyArtifactDiffers || refusal.revision === variant.state.stable)) {
      return finding('Stalled', true, refusal.reason, `${variant.name}: ${refusal.message}`);
    }
    if (
      variant.artifact.kind === 'failed' &&
      variant.missingSince !== undefined &&
      variant.missingSince + facts.progressDeadlineMs <= now
    ) {
      return finding('Stalled', true, variant.artifact.reason, `${variant.name}: ${variant.artifact.message}`);
    }
  }
  return facts.suspended ? undefined : findOverdue(facts, now);
}

/** Time does not count against a rollout that is suspended. */
function findOverdue({ variants }: Assessment, now: number): Finding | undefined {
  const late = variants.find(({ state }) => isOverdue(state, now));
  if (late === undefined) return undefined;
  const message = `${late.name}: not done at ${late.state.candidate?.deadline ?? ''}${problem(late)}`;
  return finding('Stalled', true, 'ProgressDeadlineExceeded', message);
}

function findReconciling(facts: Assessment, parts: readonly Finding[]): Finding | undefined {
  for (const variant of facts.variants) {
    const { candidate } = variant.state;
    if (candidate !== undefined && !facts.suspended) {
      const done = `${loadedPods(variant).length}/${variant.replicas} pods`;
      return finding(
        'Reconciling',
        true,
        'RolloutInProgress',
        `${variant.name}: ${candidate.revision} on ${done}, deadline ${candidate.deadline}${problem(variant)}`,
      );
    }
  }
  const open = parts.find((part) => part.status !== 'True' && isUnfinished(part, facts));
  if (open !== undefined) return finding('Reconciling', true, open.reason, open.message);
  return undefined;
}

/** A refused upload and a store that is out of reach leave the present version serving: neither makes the resource unready. */
function isUnfinished({ type, status, reason }: Finding, { suspended, variants }: Assessment): boolean {
  if (type === 'ArtifactDurable' || reason === 'ArtifactRejected') return false;
  if (type === 'ArtifactResolved' && status === 'Unknown') return variants.some(({ target }) => target === undefined);
  return !(type === 'UpToDate' && suspended);
}

function problem(variant: VariantFacts | undefined): string {
  return variant?.workloadProblem === undefined ? '' : ` (${variant.workloadProblem})`;
}

function names(variants: readonly VariantFacts[]): string {
  return variants.map(({ name }) => name).join(', ');
}
