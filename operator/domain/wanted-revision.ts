// Which revision a variant should serve: what the spec names, in the version that the store, a pin or the promoted bytes say. Pure.
import { satisfiesPins, withPin, type ResolvedArtifact } from './artifact.ts';
import type { Runtime, Spec, Variant } from './model-deployment.ts';
import type { StoredRevision, VariantObserved } from './observed.ts';
import { withLearnedSha256 } from './revision-rows.ts';
import { effectiveRuntime, revisionHash, runtimeHash, type RevisionSource } from './revision.ts';
import type { Status } from './status.ts';

/** What the operator's configuration fills in where a resource says nothing. */
export interface SourceDefaults {
  readonly defaultBucket?: string | undefined;
  readonly defaultRegion?: string | undefined;
}

/** Where a resource's artifacts come from, defaults filled in; undefined bucket: nobody names one. */
export function sourceOf(spec: Spec, context: SourceDefaults): RevisionSource {
  const { store, bucket, region, credentialsSecretRef } = spec.source.s3;
  return {
    store,
    bucket: bucket ?? context.defaultBucket ?? '',
    region: region ?? context.defaultRegion,
    credentials: credentialsSecretRef?.name,
  };
}

/** One variant, as the spec, the store, status and the records have it. */
export interface Subject {
  readonly spec: Spec;
  readonly status: Status | undefined;
  readonly variant: Variant;
  readonly seen: VariantObserved;
  /** Records of the revisions that the variant has, or goes to. */
  readonly stable: StoredRevision | undefined;
  readonly candidate: StoredRevision | undefined;
}

/** What a variant should serve. */
export interface Wanted {
  readonly name: string;
  readonly runtimeHash: string;
  readonly runtime: Runtime;
  readonly source: RevisionSource;
  readonly artifact: ResolvedArtifact;
}

/** The revision that spec and store ask for; undefined while that is not known. */
export function wantedRevision(subject: Subject, context: SourceDefaults): Wanted | undefined {
  const { spec, variant } = subject;
  const source = sourceOf(spec, context);
  const runtime = effectiveRuntime(spec, variant);
  const ofKey = (revision: StoredRevision | undefined) => (sameKey(revision, variant, source) ? revision : undefined);
  const ours = { ...subject, stable: ofKey(subject.stable), candidate: ofKey(subject.candidate) };
  const hash = runtimeHash({ source, runtime });
  const artifact = wantedArtifact(ours, hash);
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
function isRuntimeOnly({ stable, variant, status }: Subject, hash: string): boolean {
  if (stable === undefined || stable.runtimeHash === hash || isPinned(variant)) return false;
  return wasLoaded(stable.name, status);
}

/** Some pod has reported the revision at some time. */
export function wasLoaded(revision: string | undefined, status: Status | undefined): boolean {
  return status?.revisions?.find(({ name }) => name === revision)?.version !== undefined;
}

/**
 * Pins that the stable bytes satisfy end the search. A store that fails leaves what is known of the key, which a pin may not allow. undefined until
 * the store has been asked: an operator that has just started knows nothing, and must neither end nor begin a rollout.
 */
function wantedArtifact(subject: Subject, hash: string): ResolvedArtifact | undefined {
  const { variant, stable, candidate } = subject;
  const state = subject.seen.artifact;
  if (stable !== undefined && isPinnedTo(stable, subject)) return stable.artifact;
  if (state.kind === 'pending') return undefined;
  if (stable !== undefined && isRuntimeOnly(subject, hash)) return stable.artifact;
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
function isPinnedTo(stable: StoredRevision, { variant, status }: Subject): boolean {
  return satisfiesPins(withLearnedSha256(stable, status?.revisions ?? []), variant.model);
}

function isPinned({ model }: Variant): boolean {
  return model.versionId !== undefined || model.sha256 !== undefined;
}

/** The spec asks for just what the stable revision has, in another version: whoever uploaded it is told, not whoever wrote the spec. */
export function isUpload(stable: StoredRevision, wanted: Wanted, variant: Variant): boolean {
  return !isPinned(variant) && stable.runtimeHash === wanted.runtimeHash && sameKey(stable, variant, wanted.source);
}
