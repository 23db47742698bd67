// The PodDisruptionBudget of a variant: a node drain takes one model pod at a time.
import { labelsFor, variantSelector } from '../domain/labels.ts';
import { variantName } from '../domain/names.ts';
import { childMetadata, type Manifest, type Owner } from './metadata.ts';

export function buildDisruptionBudget(owner: Owner, variant: string): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMetadata(
      owner,
      variantName(owner.name, variant),
      labelsFor({ name: owner.name, component: 'model', variant }),
    ),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: variantSelector(owner.name, variant) },
      // A pod that is not ready serves nobody: it must never hold up the drain of a node.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
