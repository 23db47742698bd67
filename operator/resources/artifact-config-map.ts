// The ConfigMap with the promoted artifact of a variant: what a pod loads when it starts. Read once, never watched.
import { ADMIN_PORT, type DesiredArtifact, type StoreSettings } from '../../inference/contract.ts';
import type { ResolvedArtifact } from '../domain/artifact.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import { labelsFor } from '../domain/labels.ts';
import { artifactConfigMapName, variantName } from '../domain/names.ts';
import { childMetadata, type Manifest, type Owner } from './metadata.ts';

/** Key in the ConfigMap and name of the file in the pod. */
export const ARTIFACT_FILE = 'artifact.json';

export interface ArtifactConfigMapInput {
  readonly owner: Owner;
  readonly variant: string;
  /** Name of the promoted revision. */
  readonly revision: string;
  readonly sequence: number;
  readonly artifact: ResolvedArtifact;
  readonly store: StoreSettings;
}

/** Base URL of the admin port of the variant's ready pods. */
export function siblingsUrl(owner: Pick<Owner, 'name' | 'namespace'>, variant: string): string {
  return `http://${variantName(owner.name, variant)}.${owner.namespace}.svc:${ADMIN_PORT}`;
}

/** What the file in the pod says. */
export function desiredArtifact(input: ArtifactConfigMapInput): DesiredArtifact {
  const { owner, variant, revision, sequence, artifact, store } = input;
  const { bucket, key, versionId, etag, sha256, size } = artifact;
  return {
    artifact: { store, bucket, key, versionId, etag, sha256, size },
    sequence,
    siblings: siblingsUrl(owner, variant),
    modelDeployment: owner.name,
    variant,
    revision,
  };
}

/** ConfigMap `<deployment>-artifact`. The text is canonical: an equal artifact gives an equal ConfigMap. */
export function buildArtifactConfigMap(input: ArtifactConfigMapInput): Manifest {
  const { owner, variant } = input;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: childMetadata(
      owner,
      artifactConfigMapName(owner.name, variant),
      labelsFor({ name: owner.name, component: 'model', variant }),
    ),
    data: { [ARTIFACT_FILE]: canonicalJson(desiredArtifact(input)) },
  };
}
