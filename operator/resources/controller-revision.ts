// A revision of a variant for the record: the rendered pod template and the artifact. As long as it lives its template is applied as it stands,
// so that an upgrade of the operator, or a new default, restarts no pod. The API server never lets `data` change.
import * as z from 'zod';
import type { ResolvedArtifact } from '../domain/artifact.ts';
import { LABEL_REVISION, LABEL_VARIANT, labelsFor } from '../domain/labels.ts';
import { controllerRevisionName } from '../domain/names.ts';
import type { StoredRevision } from '../domain/observed.ts';
import { childMetadata, type Manifest, type Owner } from './metadata.ts';
import type { PodTemplate } from './pod-template.ts';

export interface ControllerRevisionInput {
  readonly owner: Owner;
  readonly variant: string;
  /** Revision hash. */
  readonly revision: string;
  /** Rises with each revision of the variant. */
  readonly number: number;
  readonly template: PodTemplate;
  readonly artifact: ResolvedArtifact;
  readonly runtimeHash: string;
}

/** The record of one revision; parseControllerRevision reads it back. */
export function buildControllerRevision(input: ControllerRevisionInput): Manifest {
  const { owner, variant, revision, number, template, artifact, runtimeHash } = input;
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: childMetadata(
      owner,
      controllerRevisionName(owner.name, variant, revision),
      labelsFor({ name: owner.name, component: 'model', variant, revision }),
    ),
    data: { template, artifact, runtimeHash },
    revision: number,
  };
}

const Stored = z.object({
  metadata: z.object({ labels: z.object({ [LABEL_VARIANT]: z.string(), [LABEL_REVISION]: z.string() }) }),
  revision: z.int(),
  data: z.object({
    template: z.record(z.string(), z.unknown()),
    runtimeHash: z.string(),
    artifact: z.object({
      store: z.string(),
      bucket: z.string(),
      key: z.string(),
      versionId: z.string().exactOptional(),
      etag: z.string().exactOptional(),
      sha256: z.string().exactOptional(),
      size: z.number().exactOptional(),
      lastModified: z.string().exactOptional(),
    }),
  }),
});

/** Reads a ControllerRevision that the operator wrote; undefined when it is not one of ours. */
export function parseControllerRevision(object: unknown): StoredRevision | undefined {
  const parsed = Stored.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, revision, data } = parsed.data;
  return { name: metadata.labels[LABEL_REVISION], variant: metadata.labels[LABEL_VARIANT], number: revision, ...data };
}
