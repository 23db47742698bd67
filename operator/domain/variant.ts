// One variant's decision in a pass: which revision spec and store ask for, and the step towards it.
import { isDurable, satisfiesPins, withPin, type ResolvedArtifact } from './artifact.ts';
import { servingPods, type VariantFacts } from './assess.ts';
import { defined } from './defined.ts';
import { durationMs } from './duration.ts';
import { nextRolloutState, type RolloutState, type VariantInput } from './hot-reload.ts';
import type { Runtime, Spec, Variant } from './model-deployment.ts';
import type { ArtifactState, Observed, PodObserved, StoredRevision, VariantObserved } from './observed.ts';
import { withLearnedSha256 } from './revision-rows.ts';
import { effectiveRuntime, revisionHash, runtimeHash, type RevisionSource } from './revision.ts';
import type { Status, VariantStatus } from './status.ts';
import { livePods, reportsRevision } from './wave.ts';

export type PodTemplate = StoredRevision['template'];

/** What a decision needs to know of its resource. */
export interface VariantResource {
  readonly spec: Spec;
  readonly status: Status | undefined;
}

export interface VariantContext {
  readonly defaultBucket?: string | undefined;
  readonly defaultRegion?: string | undefined;
  /** Renders a pod template with the defaults of today. */
  readonly render: (variant: string, runtime: Runtime, source: RevisionSource) => PodTemplate;
}

export interface VariantDecision {
  readonly facts: VariantFacts & { readonly serving: readonly PodObserved[] };
  readonly input: VariantInput;
  /** A revision that has to be stored before status may name it. */
  readonly revision: StoredRevision | undefined;
}

const NOTHING: VariantObserved = { artifact: { kind: 'pending' }, pods: [] };

/** Where a resource's artifacts come from, defaults filled in; undefined bucket: nobody names one. */
export function sourceOf(spec: Spec, context: Pick<VariantContext, 'defaultBucket' | 'defaultRegion'>): RevisionSource {
  const { store, bucket, region, credentialsSecretRef } = spec.source.s3;
  return {
    store,
    bucket: bucket ?? context.defaultBucket ?? '',
    region: region ?? context.defaultRegion,
    credentials: credentialsSecretRef?.name,
  };
}

/** Decides for one variant of the spec. Pure but for `context.render`, which is pure too. */
export function decideVariant(
  resource: VariantResource,
  variant: Variant,
  observed: Observed,
  context: VariantContext,
  now: number,
): VariantDecision {
  const { spec, status } = resource;
  const seen = observed.variants.get(variant.name) ?? NOTHING;
  const state = rolloutState(
    status?.variants?.find(({ name }) => name === variant.name),
    servedRevision(variant.name, seen.pods, observed),
  );
  const stable = state.stable === undefined ? undefined : observed.revisions.get(state.stable);
  const candidate = state.candidate && observed.revisions.get(state.candidate.revision);
  const wanted = wantedRevision(spec, variant, seen.artifact, { stable, candidate }, status, context);
  const input = variantInput(resource, variant, seen, state, wanted);
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
  { spec, status }: VariantResource,
  variant: Variant,
  seen: VariantObserved,
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
      progressDeadlineMs: durationMs(progressDeadline),
    },
  };
}

/** Revisions that the variant has or goes to. */
interface Known {
  readonly stable: StoredRevision | undefined;
  readonly candidate: StoredRevision | undefined;
}

interface Wanted {
  readonly name: string;
  readonly runtimeHash: string;
  readonly runtime: Runtime;
  readonly source: RevisionSource;
  readonly artifact: ResolvedArtifact;
}

function wantedRevision(
  spec: Spec,
  variant: Variant,
  state: ArtifactState,
  known: Known,
  status: Status | undefined,
  context: VariantContext,
): Wanted | undefined {
  const source = sourceOf(spec, context);
  const runtime = effectiveRuntime(spec, variant);
  const ofKey = (revision: StoredRevision | undefined) => (sameKey(revision, variant, source) ? revision : undefined);
  const ours = { stable: ofKey(known.stable), candidate: ofKey(known.candidate) };
  const hash = runtimeHash({ source, runtime });
  const artifact = wantedArtifact(variant, state, ours, hash, status);
  if (artifact === undefined) return undefined;
  const { sha256 } = variant.model;
  return {
    name: revisionHash({ variant: variant.name, source, runtime, artifact, sha256 }),
    runtimeHash: hash,
    runtime,
    source,
    artifact,
  };
}

/**
 * The edit changed what the pods run, and not which object they serve: the promoted bytes go along first, and a newer upload follows once the pods are
 * there. So an upload that is refused never holds up a change of memory or image.
 */
function isRuntimeOnly(
  stable: StoredRevision | undefined,
  hash: string,
  variant: Variant,
  status: Status | undefined,
): stable is StoredRevision {
  if (stable === undefined || stable.runtimeHash === hash || isPinned(variant)) return false;
  return wasLoaded(stable.name, status);
}

/** Some pod has reported the revision at some time. */
function wasLoaded(revision: string | undefined, status: Status | undefined): boolean {
  return status?.revisions?.find(({ name }) => name === revision)?.version !== undefined;
}

/**
 * Pins that the stable bytes satisfy end the search. A store that fails leaves what is known of the key, which a pin may not allow. undefined until
 * the store has been asked: an operator that has just started knows nothing, and must neither end nor begin a rollout.
 */
function wantedArtifact(
  variant: Variant,
  state: ArtifactState,
  { stable, candidate }: Known,
  hash: string,
  status: Status | undefined,
): ResolvedArtifact | undefined {
  if (stable !== undefined && isPinnedTo(stable, variant, status)) return stable.artifact;
  if (state.kind === 'pending') return undefined;
  if (isRuntimeOnly(stable, hash, variant, status)) return stable.artifact;
  if (state.kind === 'resolved') return withPin(state.artifact, variant.model);
  if (state.last !== undefined) return withPin(state.last, variant.model);
  return isPinned(variant) ? undefined : (candidate ?? stable)?.artifact;
}

function sameKey(stable: StoredRevision | undefined, variant: Variant, source: RevisionSource): boolean {
  if (stable === undefined) return false;
  const { store, bucket, key } = stable.artifact;
  return store === source.store && bucket === source.bucket && key === variant.model.key;
}

/** By the same SHA-256 that pods are asked to find: the store's, else the one that the first pod computed. */
function isPinnedTo(stable: StoredRevision, { model }: Variant, status: Status | undefined): boolean {
  return satisfiesPins(withLearnedSha256(stable, status?.revisions ?? []), model);
}

function isPinned({ model }: Variant): boolean {
  return model.versionId !== undefined || model.sha256 !== undefined;
}

/** The spec asks for just what the stable revision has, in another version: whoever uploaded it is told, not whoever wrote the spec. */
function isUpload(stable: StoredRevision, wanted: Wanted, variant: Variant): boolean {
  return !isPinned(variant) && stable.runtimeHash === wanted.runtimeHash && sameKey(stable, variant, wanted.source);
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
