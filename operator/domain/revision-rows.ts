// Status rows of the revisions that anything in status names, with what the pods have told of them.
import type { ResolvedArtifact } from './artifact.ts';
import { defined } from './defined.ts';
import type { StoredRevision } from './observed.ts';
import type { RevisionStatus } from './status.ts';
import type { VariantDecision } from './variant.ts';

/** One row for each stable, previous and candidate revision and for the last rejected one. What a pod once reported (sha256, version) stays. */
export function revisionRows(
  variants: readonly VariantDecision[],
  revisions: ReadonlyMap<string, StoredRevision>,
  before: readonly RevisionStatus[],
): RevisionStatus[] {
  const named = variants.flatMap(({ facts: { state } }) => [
    state.stable,
    state.candidate?.revision,
    state.previous,
    state.rejected?.at(-1)?.revision,
  ]);
  const names = [...new Set(named)].filter((name) => name !== undefined);
  return names.flatMap((name) => {
    const stored = revisions.get(name);
    const known = before.find((row) => row.name === name);
    return stored === undefined ? (known === undefined ? [] : [known]) : [rowOf(stored, variants, known)];
  });
}

/**
 * The artifact with the SHA-256 that the first pod computed, where nobody else has named one: from then on it is required of all others. What the spec
 * or the store says goes before it, for pins as for pods.
 */
export function withLearnedSha256(
  { name, artifact }: StoredRevision,
  rows: readonly RevisionStatus[],
): ResolvedArtifact {
  const learned = rows.find((row) => row.name === name)?.sha256;
  return artifact.sha256 !== undefined || learned === undefined ? artifact : { ...artifact, sha256: learned };
}

function rowOf(
  stored: StoredRevision,
  variants: readonly VariantDecision[],
  known: RevisionStatus | undefined,
): RevisionStatus {
  const reported = variants
    .flatMap(({ facts }) => facts.pods)
    .map((pod) => pod.report?.artifact)
    .find((active) => active?.revision === stored.name);
  const { key, versionId, etag, size, lastModified } = stored.artifact;
  return defined({
    name: stored.name,
    key,
    versionId,
    etag,
    sha256: stored.artifact.sha256 ?? known?.sha256 ?? reported?.sha256,
    size,
    lastModified,
    version: known?.version ?? reported?.version.slice(0, 128).toWellFormed(),
    image: imageOf(stored.template),
  });
}

interface Template {
  readonly spec?: { readonly containers?: readonly { readonly image?: string }[] };
}

function imageOf(template: Template): string | undefined {
  return template.spec?.containers?.[0]?.image;
}
