// PodDisruptionBudgets: a node drain takes one pod of a variant, and one router, at a time.
import { labelsFor, routerSelector, variantSelector, type Labels } from '../domain/labels.ts';
import { routerName, variantName } from '../domain/names.ts';
import { childMetadata, type Manifest, type Metadata, type Owner } from './metadata.ts';

/** The budget of a variant's model pods. */
export function buildDisruptionBudget(owner: Owner, variant: string): Manifest {
  const labels = labelsFor({ name: owner.name, component: 'model', variant });
  return budget(childMetadata(owner, variantName(owner.name, variant), labels), variantSelector(owner.name, variant));
}

/** The budget of the router pods. */
export function buildRouterDisruptionBudget(owner: Owner): Manifest {
  const labels = labelsFor({ name: owner.name, component: 'router' });
  return budget(childMetadata(owner, routerName(owner.name), labels), routerSelector(owner.name));
}

function budget(metadata: Metadata, matchLabels: Labels): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata,
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels },
      // A pod that is not ready serves nobody: it must never hold up the drain of a node.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
