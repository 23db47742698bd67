// The pod template of a variant's model pods: a pure function of its input, so that it can be frozen in a ControllerRevision.
// Under HotReload the artifact is not in it: a new version of the model must not restart a pod.
import { ADMIN_PORT, PUBLIC_PORT, type StoreSettings } from '../../inference/contract.ts';
import { labelsFor, variantSelector } from '../domain/labels.ts';
import type { Runtime } from '../domain/model-deployment.ts';
import { artifactConfigMapName } from '../domain/names.ts';
import { FOREIGN_ANNOTATIONS, MODEL_VOLUME, adapterContainer, serverContainer } from './foreign-pod.ts';
import { storeEnvironment, withUsers } from './pod-environment.ts';
import { ARTIFACT_MOUNTS, DEFAULT_RESOURCES, MODEL_CONTAINER, PRE_STOP, TMP_MOUNT } from './pod-parts.ts';
import { CONTAINER_SECURITY, podSecurity } from './pod-security.ts';
import { spread } from './topology-spread.ts';

export interface PodTemplateInput {
  /** Name of the ModelDeployment. */
  readonly modelDeployment: string;
  readonly variant: string;
  /** With the operator's default filled in. */
  readonly image: string;
  /** The operator's own, for the adapter beside another image. */
  readonly inferenceImage: string;
  /** See effectiveRuntime. */
  readonly runtime: Runtime;
  readonly store: StoreSettings;
  readonly bucket: string;
  readonly region?: string | undefined;
  /** Name of the Secret with the credentials of the store; absent: the pod's own identity. */
  readonly credentialsSecret?: string | undefined;
}

export type PodTemplate = Readonly<Record<string, unknown>>;

const DEFAULT_USER = 65532;
/** Twice the largest archive beside the versions that are kept; the kubelet evicts a pod that goes beyond. */
const ARTIFACTS_LIMIT = '16Gi';
const TMP_LIMIT = '1Gi';
const GRACE_SECONDS = 45;

/** Builds the template; equal input gives an equal template. */
export function buildPodTemplate(input: PodTemplateInput): PodTemplate {
  const { modelDeployment, variant, runtime } = input;
  const labels = labelsFor({ name: modelDeployment, component: 'model', variant });
  const { server } = runtime;
  if (server === undefined) {
    return {
      metadata: { labels },
      spec: { ...podSettings(input), containers: [container(input)], ...placement(runtime) },
    };
  }
  return {
    metadata: { labels, annotations: FOREIGN_ANNOTATIONS },
    spec: {
      ...podSettings(input),
      initContainers: [adapterContainer(input, server)],
      containers: [serverContainer(input, server)],
      ...placement(runtime),
    },
  };
}

function podSettings({ modelDeployment, variant, runtime }: PodTemplateInput): object {
  return {
    // IRSA and Pod Identity bring a projected token of their own; the token for the API server is of no use to a model.
    automountServiceAccountToken: false,
    // A Service named like our variables (`port`, `model`) would otherwise put its address into them.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: podSecurity(runtime.runAsUser ?? DEFAULT_USER),
    volumes: [
      { name: 'artifact', configMap: { name: artifactConfigMapName(modelDeployment, variant) } },
      { name: 'artifacts', emptyDir: { sizeLimit: ARTIFACTS_LIMIT } },
      { name: 'tmp', emptyDir: { sizeLimit: TMP_LIMIT } },
      ...(runtime.server === undefined ? [] : [MODEL_VOLUME]),
    ],
    topologySpreadConstraints: spread(variantSelector(modelDeployment, variant)),
  };
}

function placement(runtime: Runtime): object {
  const { serviceAccountName, nodeSelector, tolerations, imagePullSecrets } = runtime;
  return {
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    ...(nodeSelector !== undefined && { nodeSelector }),
    ...(tolerations !== undefined && { tolerations }),
    ...(imagePullSecrets !== undefined && { imagePullSecrets }),
  };
}

function container(input: PodTemplateInput): object {
  const { image, runtime } = input;
  return {
    name: MODEL_CONTAINER,
    image,
    ...(runtime.imagePullPolicy !== undefined && { imagePullPolicy: runtime.imagePullPolicy }),
    ports: [
      { name: 'http', containerPort: PUBLIC_PORT, protocol: 'TCP' },
      { name: 'admin', containerPort: ADMIN_PORT, protocol: 'TCP' },
    ],
    env: withUsers(storeEnvironment(input), input),
    resources: runtime.resources ?? DEFAULT_RESOURCES,
    ...probes(),
    lifecycle: PRE_STOP,
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [...ARTIFACT_MOUNTS, TMP_MOUNT],
  };
}

/** Start-up and liveness ask whether the process answers, never about the model or the store: an outage there must restart nothing. */
function probes(): object {
  const live = { httpGet: { path: '/live', port: 'http' }, timeoutSeconds: 5 };
  return {
    startupProbe: { ...live, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { ...live, periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: {
      httpGet: { path: '/ready', port: 'http' },
      timeoutSeconds: 5,
      periodSeconds: 2,
      failureThreshold: 3,
    },
  };
}
