// The Deployment of a variant: a fixed name, so that Kubernetes' own rolling update replaces pods when their template must change.
import { labelsFor, variantSelector } from '../domain/labels.ts';
import { variantName } from '../domain/names.ts';
import { childMetadata, type Manifest, type Owner } from './metadata.ts';
import type { PodTemplate } from './pod-template.ts';

export interface DeploymentInput {
  readonly owner: Owner;
  readonly variant: string;
  readonly replicas: number;
  /** As frozen in the revision: applied as it stands. */
  readonly template: PodTemplate;
  readonly progressDeadlineMs: number;
  /** Runtime hash of the revision, kept as an annotation: tells whether the Deployment at hand has that template. */
  readonly runtimeHash: string;
  /** See tokenStampOf. */
  readonly tokenStamp?: string;
}

/** Annotation of a Deployment: the runtime hash that its template was rendered for. */
export const RUNTIME_HASH = 'switchyard.dev/runtime-hash';

/** Annotation of a pod template: stands for the admin token that its pods were started with. */
export const TOKEN_STAMP = 'switchyard.dev/admin-token-stamp';

/** The ControllerRevisions are the history that people go back to; two ReplicaSets are enough for Kubernetes' own. */
const REPLICA_SETS_KEPT = 2;

/** The Deployment of a variant. A change of its template takes no pod away before its successor is ready. */
export function buildDeployment(input: DeploymentInput): Manifest {
  const { owner, variant } = input;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...childMetadata(
        owner,
        variantName(owner.name, variant),
        labelsFor({ name: owner.name, component: 'model', variant }),
      ),
      annotations: { [RUNTIME_HASH]: input.runtimeHash },
    },
    spec: {
      replicas: input.replicas,
      revisionHistoryLimit: REPLICA_SETS_KEPT,
      progressDeadlineSeconds: Math.max(1, Math.ceil(input.progressDeadlineMs / 1000)),
      selector: { matchLabels: variantSelector(owner.name, variant) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: stamped(input),
    },
  };
}

function stamped({ template, tokenStamp }: DeploymentInput): PodTemplate {
  if (tokenStamp === undefined) return template;
  const { metadata } = template;
  return {
    ...template,
    metadata: { ...(typeof metadata === 'object' && metadata), annotations: { [TOKEN_STAMP]: tokenStamp } },
  };
}
