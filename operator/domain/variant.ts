// One variant's decision in a pass: which revision spec and store ask for, and the step towards it.
import { isDurable } from './artifact.ts';
import { servingPods, type VariantFacts } from './assess.ts';
import { defined } from './defined.ts';
import { durationMs } from './duration.ts';
import { nextRolloutState, type RolloutState, type VariantInput } from './hot-reload.ts';
import type { Runtime, Spec, Variant } from './model-deployment.ts';
import type { ArtifactState, Observed, PodObserved, StoredRevision, VariantObserved } from './observed.ts';
import type { RevisionSource } from './revision.ts';
import type { Status, VariantStatus } from './status.ts';
import {
  isUpload,
  wantedRevision,
  wasLoaded,
  type SourceDefaults,
  type Subject,
  type Wanted,
} from './wanted-revision.ts';
import { livePods, reportsRevision } from './wave.ts';

export type PodTemplate = StoredRevision['template'];

/** What a decision needs to know of its resource. */
export interface VariantResource {
  readonly spec: Spec;
  readonly status: Status | undefined;
}

export interface VariantContext extends SourceDefaults {
  /** Renders a pod template with the defaults of today. */
  readonly render: (variant: string, runtime: Runtime, source: RevisionSource) => PodTemplate;
}

/** What all variants of a pass are decided by. */
export interface VariantWorld {
  readonly observed: Observed;
  readonly context: VariantContext;
  readonly now: number;
}

export interface VariantDecision {
  readonly facts: VariantFacts & { readonly serving: readonly PodObserved[] };
  readonly input: VariantInput;
  /** A revision that has to be stored before status may name it. */
  readonly revision: StoredRevision | undefined;
}

const NOTHING: VariantObserved = { artifact: { kind: 'pending' }, pods: [] };

/** Decides for one variant of the spec. Pure but for `render`, which is pure too. */
export function decideVariant(
  { spec, status }: VariantResource,
  variant: Variant,
  { observed, context, now }: VariantWorld,
): VariantDecision {
  const seen = observed.variants.get(variant.name) ?? NOTHING;
  const state = rolloutState(
    status?.variants?.find(({ name }) => name === variant.name),
    servedRevision(variant.name, seen.pods, observed),
  );
  const stable = state.stable === undefined ? undefined : observed.revisions.get(state.stable);
  const candidate = state.candidate && observed.revisions.get(state.candidate.revision);
  const subject = { spec, status, variant, seen, stable, candidate };
  const wanted = wantedRevision(subject, context);
  const input = variantInput(subject, state, wanted);
  const next = nextRolloutState(input, now);
  const facts: VariantFacts = {
    name: variant.name,
    weight: variant.weight,
    replicas: input.replicas,
    state: next,
    artifact: seen.artifact,
    target: wanted?.name,
    pods: seen.pods,
    ...defined({ workloadProblem: seen.problem ?? tokenProblem(seen.pods) }),
    onlyArtifactDiffers: stable !== undefined && wanted !== undefined && isUpload(stable, wanted, variant),
    versioned: versionedOf(next, stable, wanted),
    missingSince: missingSince(seen.artifact, status),
  };
  const revision =
    wanted === undefined || observed.revisions.has(wanted.name)
      ? undefined
      : stored(variant.name, wanted, observed, context);
  return { facts: { ...facts, serving: servingPods(facts) }, input, revision };
}

function tokenProblem(pods: readonly PodObserved[]): string | undefined {
  const refuses = livePods(pods).some(({ refusesToken }) => refusesToken);
  return refuses ? 'pods were started with another admin token: they are replaced' : undefined;
}

function variantInput(
  { spec, status, variant, seen }: Subject,
  state: RolloutState,
  wanted: Wanted | undefined,
): VariantInput {
  const { workload } = seen;
  const { hotReload, progressDeadline } = spec.rollout;
  return {
    state,
    resumed: status?.phase === 'Suspended' && !spec.suspend,
    target: wanted?.name,
    proven:
      wasLoaded(state.stable, status) ||
      (state.stable !== undefined && seen.pods.some((pod) => reportsRevision(pod, state.stable ?? ''))),
    pods: seen.pods,
    rolledOut: workload?.rolledOut === true && workload.runtimeHash === wanted?.runtimeHash,
    replicas: variant.replicas ?? spec.replicas,
    suspended: spec.suspend,
    settings: {
      maxConcurrent: hotReload.maxConcurrent,
      soakMs: durationMs(hotReload.soak),
      allowSchemaChange: hotReload.allowSchemaChange,
      progressDeadlineMs: durationMs(progressDeadline),
    },
  };
}

function stored(variant: string, wanted: Wanted, observed: Observed, context: VariantContext): StoredRevision {
  const own = [...observed.revisions.values()].filter((revision) => revision.variant === variant);
  // The template of an equal runtime is taken over as it is: an upgrade of the operator must not replace pods when only the artifact changes.
  const alike = own
    .filter((revision) => revision.runtimeHash === wanted.runtimeHash)
    .sort((a, b) => b.number - a.number)[0];
  return {
    name: wanted.name,
    variant,
    number: Math.max(0, ...own.map(({ number }) => number)) + 1,
    runtimeHash: wanted.runtimeHash,
    artifact: wanted.artifact,
    template: alike?.template ?? context.render(variant, wanted.runtime, wanted.source),
  };
}

function rolloutState(before: VariantStatus | undefined, served: string | undefined): RolloutState {
  if (before === undefined) return defined({ sequence: 0, stable: served });
  const { stable = served, previous, candidate, rejected, sequence } = before;
  return defined({ sequence, stable, previous, candidate, rejected });
}

/** The oldest revision that a ready pod serves: what is stable when status was lost, so that a newer one has to prove itself as always. */
function servedRevision(variant: string, pods: readonly PodObserved[], observed: Observed): string | undefined {
  const ready = livePods(pods).filter((pod) => pod.ready);
  return [...observed.revisions.values()]
    .filter((revision) => revision.variant === variant && ready.some((pod) => reportsRevision(pod, revision.name)))
    .sort((a, b) => a.number - b.number)[0]?.name;
}

function versionedOf(
  state: RolloutState,
  stable: StoredRevision | undefined,
  wanted: Wanted | undefined,
): boolean | undefined {
  const promoted = state.stable === stable?.name ? stable?.artifact : wanted?.artifact;
  return promoted === undefined ? undefined : isDurable(promoted);
}

/** Since when the store has had no such key, kept as the time of the condition, so that a restart of the operator forgets nothing. */
function missingSince(artifact: ArtifactState, status: Status | undefined): number | undefined {
  if (artifact.kind !== 'failed') return undefined;
  const condition = status?.conditions?.find(({ type }) => type === 'ArtifactResolved');
  return condition?.status === 'False' ? Date.parse(condition.lastTransitionTime) : undefined;
}
