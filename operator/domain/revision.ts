// What makes two revisions of a variant the same: a hash over canonical JSON of what the user and the store said.
// Never over what the operator adds (image defaults, probes): an upgrade of the operator must not make a new revision.
import { hashOf } from '../runtime/hash.ts';
import { identityOf, type ResolvedArtifact } from './artifact.ts';
import type { Runtime, Spec, Variant } from './model-deployment.ts';

const LENGTH = 8;

/** Where a variant's artifacts come from, defaults filled in. */
export interface RevisionSource {
  readonly store: string;
  readonly bucket: string;
  readonly region?: string | undefined;
  /** Name of the Secret, in the namespace of the resource. */
  readonly credentials?: string | undefined;
}

export interface RuntimeInputs {
  readonly source: RevisionSource;
  /** As the user wrote it: see effectiveRuntime. */
  readonly runtime: Runtime;
}

export interface RevisionInputs extends RuntimeInputs {
  /** Two variants may serve the same bytes: each has revisions of its own, since each has a pod template of its own. */
  readonly variant: string;
  readonly artifact: ResolvedArtifact;
  /** SHA-256 pin of the spec: corrected, it must be tried again although the object is the same. */
  readonly sha256?: string | undefined;
}

function shortHash(value: unknown): string {
  return hashOf(value).slice(0, LENGTH);
}

function runtimePart({ source, runtime }: RuntimeInputs): object {
  const { store, bucket, region, credentials } = source;
  return { source: { store, bucket, region, credentials }, runtime };
}

/** Eight hex digits that name a revision: variant, source, key, version of the artifact and runtime. */
export function revisionHash(inputs: RevisionInputs): string {
  const { variant, artifact, sha256 } = inputs;
  return shortHash({ ...runtimePart(inputs), variant, key: artifact.key, identity: identityOf(artifact), sha256 });
}

/** The same without the artifact: while it is equal, an artifact is reloaded in place; a change replaces pods. */
export function runtimeHash(inputs: RuntimeInputs): string {
  return shortHash(runtimePart(inputs));
}

/** The runtime of one variant: its own fields over those of the resource, each field as a whole (lists too). */
export function effectiveRuntime(spec: Pick<Spec, 'runtime'>, variant: Pick<Variant, 'runtime'>): Runtime {
  const own = Object.entries(variant.runtime ?? {}).filter(([, value]) => value !== undefined);
  return { ...spec.runtime, ...Object.fromEntries(own) };
}
