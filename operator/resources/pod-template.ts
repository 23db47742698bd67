// The pod template of a variant's model pods: a pure function of its input, so that it can be frozen in a ControllerRevision.
// Under HotReload the artifact is not in it: a new version of the model must not restart a pod.
import { ADMIN_PORT, PUBLIC_PORT, type StoreSettings } from '../../inference/contract.ts';
import { labelsFor, variantSelector } from '../domain/labels.ts';
import type { Runtime } from '../domain/model-deployment.ts';
import { adminSecretName, artifactConfigMapName } from '../domain/names.ts';
import { RESERVED_ENV } from '../domain/runtime.ts';
import { ADMIN_TOKEN_KEY } from './admin-secret.ts';
import { ARTIFACT_FILE } from './artifact-config-map.ts';
import { CONTAINER_SECURITY, podSecurity } from './pod-security.ts';
import { spread } from './topology-spread.ts';

export interface PodTemplateInput {
  /** Name of the ModelDeployment. */
  readonly modelDeployment: string;
  readonly variant: string;
  /** With the operator's default filled in. */
  readonly image: string;
  /** See effectiveRuntime. */
  readonly runtime: Runtime;
  readonly store: StoreSettings;
  readonly bucket: string;
  readonly region?: string | undefined;
  /** Name of the Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; absent: the pod's own identity. */
  readonly credentialsSecret?: string | undefined;
}

export type PodTemplate = Readonly<Record<string, unknown>>;
type EnvVar = Readonly<Record<string, unknown>> & { readonly name: string };

const MODEL_CONTAINER = 'model';
const CONFIG_DIR = '/etc/switchyard';
export const ARTIFACT_DIR = '/var/lib/switchyard/artifacts';
const DEFAULT_USER = 65532;
/** Twice the largest archive beside the versions that are kept; the kubelet evicts a pod that goes beyond. */
const ARTIFACTS_LIMIT = '16Gi';
const TMP_LIMIT = '1Gi';
/** Longer than the time in which every node takes a pod out of its Services. */
const PRE_STOP_SECONDS = 5;
const GRACE_SECONDS = 45;
const DEFAULT_RESOURCES = { requests: { cpu: '50m', memory: '192Mi' } };
/** The schema refuses these in `env`; an object that was stored before it did must not get through either. */
const OWN_ENV: ReadonlySet<string> = new Set(RESERVED_ENV);

/** Builds the template; equal input gives an equal template. */
export function buildPodTemplate(input: PodTemplateInput): PodTemplate {
  const { modelDeployment, variant, runtime } = input;
  const labels = labelsFor({ name: modelDeployment, component: 'model', variant });
  return {
    metadata: { labels },
    spec: { ...podSettings(input), containers: [container(input)], ...placement(runtime) },
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
    env: environment(input),
    resources: runtime.resources ?? DEFAULT_RESOURCES,
    ...probes(),
    lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: 'artifact', mountPath: CONFIG_DIR, readOnly: true },
      { name: 'artifacts', mountPath: ARTIFACT_DIR },
      { name: 'tmp', mountPath: '/tmp' },
    ],
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

/** Ours first, then the user's; a name occurs once, since a server-side apply refuses a list with the same key twice. */
function environment(input: PodTemplateInput): readonly EnvVar[] {
  const users = (input.runtime.env ?? []).filter(({ name }) => !OWN_ENV.has(name));
  const taken = new Set(users.map(({ name }) => name));
  return [...ownEnvironment(input).filter(({ name }) => !taken.has(name)), ...users];
}

function ownEnvironment(input: PodTemplateInput): readonly EnvVar[] {
  const { store, region, credentialsSecret } = input;
  const settings: readonly (readonly [string, string | undefined])[] = [
    ['MODEL_DEPLOYMENT', input.modelDeployment],
    ['VARIANT', input.variant],
    ['DESIRED_ARTIFACT_FILE', `${CONFIG_DIR}/${ARTIFACT_FILE}`],
    ['ARTIFACT_DIR', ARTIFACT_DIR],
    ['MODEL_BUCKET', input.bucket],
    ['AWS_REGION', region ?? store.region],
    ['AWS_ENDPOINT_URL_S3', store.endpoint],
    ['S3_FORCE_PATH_STYLE', store.forcePathStyle ? 'true' : undefined],
  ];
  return [
    ...settings.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
    fromSecret('ADMIN_TOKEN', adminSecretName(input.modelDeployment), ADMIN_TOKEN_KEY),
    ...(credentialsSecret === undefined ? [] : credentials(credentialsSecret)),
  ];
}

function credentials(secret: string): readonly EnvVar[] {
  return [
    fromSecret('AWS_ACCESS_KEY_ID', secret, 'AWS_ACCESS_KEY_ID'),
    fromSecret('AWS_SECRET_ACCESS_KEY', secret, 'AWS_SECRET_ACCESS_KEY'),
    fromSecret('AWS_SESSION_TOKEN', secret, 'AWS_SESSION_TOKEN', true),
  ];
}

function fromSecret(name: string, secret: string, key: string, optional = false): EnvVar {
  return { name, valueFrom: { secretKeyRef: { name: secret, key, ...(optional && { optional }) } } };
}
