// The pod of another image: its server, and beside it the adapter, which has the model file in its place before the server starts, hands over later ones and
// answers for both on the admin port.
import { ADAPTER_PORT, ADMIN_PORT } from '../../inference/contract.ts';
import { durationMs } from '../domain/duration.ts';
import type { Server } from '../domain/server.ts';
import { ARTIFACT_MOUNTS, DEFAULT_RESOURCES, MODEL_CONTAINER, PRE_STOP, TMP_MOUNT } from './pod-parts.ts';
import { storeEnvironment, variables, withUsers, type EnvVar } from './pod-environment.ts';
import { CONTAINER_SECURITY } from './pod-security.ts';
import type { PodTemplateInput } from './pod-template.ts';

/** One more volume of such a pod: the model file, written by the adapter, read by the server. */
export const MODEL_VOLUME = { name: 'model', emptyDir: { sizeLimit: '8Gi' } };
/**
 * The webhook of IRSA would give the server AWS_REGION and credentials too, and a server that takes its model from S3 when it has a region would do
 * that: only the adapter is to.
 */
export const FOREIGN_ANNOTATIONS = { 'eks.amazonaws.com/skip-containers': MODEL_CONTAINER };

const ADAPTER_CONTAINER = 'adapter';
const ADAPTER_DIR = '/var/lib/switchyard/model';
const ADAPTER_RESOURCES = { requests: { cpu: '10m', memory: '128Mi' } };
/** The server waits for its file for as long as it takes; the adapter's failure is in its report, and a restart would mend nothing. */
const FILE_PATIENCE_SECONDS = 86_400;
/** Some read their model before they listen. */
const START_PATIENCE_SECONDS = 600;

/** A sidecar in Kubernetes' own sense: an init container that stays, started before the server and ended after it. */
export function adapterContainer(input: PodTemplateInput, server: Server): object {
  const live = { httpGet: { path: '/live', port: ADAPTER_PORT }, timeoutSeconds: 5 };
  return {
    name: ADAPTER_CONTAINER,
    image: input.inferenceImage,
    restartPolicy: 'Always',
    env: [...storeEnvironment(input), ...adapterEnvironment(server)],
    resources: ADAPTER_RESOURCES,
    startupProbe: {
      httpGet: { path: '/started', port: ADAPTER_PORT },
      timeoutSeconds: 5,
      periodSeconds: 1,
      failureThreshold: FILE_PATIENCE_SECONDS,
    },
    livenessProbe: { ...live, periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: {
      httpGet: { path: '/ready', port: ADAPTER_PORT },
      timeoutSeconds: 5,
      periodSeconds: 2,
      failureThreshold: 3,
    },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [...ARTIFACT_MOUNTS, { name: MODEL_VOLUME.name, mountPath: ADAPTER_DIR }],
  };
}

function adapterEnvironment({ port, modelPath, readyPath, reload, info, readModel }: Server): readonly EnvVar[] {
  const seconds = (duration: string) => String(durationMs(duration) / 1000);
  return variables([
    ['ADAPTER', 'true'],
    ['ADAPTER_PORT', String(port)],
    ['ADAPTER_MODEL_PATH', `${ADAPTER_DIR}/${fileOf(modelPath)}`],
    ['ADAPTER_READY', readyPath],
    ['ADAPTER_RELOAD', `${reload.method} ${reload.path}`],
    ['ADAPTER_RELOAD_SECONDS', seconds(reload.timeout)],
    ['ADAPTER_UNREADY_SECONDS', seconds(reload.maxUnready)],
    ['ADAPTER_INFO', info?.path ?? 'none'],
    ['ADAPTER_VERSION_FIELD', info?.versionField],
    ['ADAPTER_LOADED_FIELD', info?.loadedField],
    ['ADAPTER_READ_MODEL', readModel ? 'true' : undefined],
  ]);
}

/** The user's image. It has no credentials of the store and no token of ours. */
export function serverContainer(input: PodTemplateInput, server: Server): object {
  const { image, runtime } = input;
  const live = { httpGet: { path: server.livePath, port: 'http' }, timeoutSeconds: 5 };
  return {
    name: MODEL_CONTAINER,
    image,
    ...(runtime.imagePullPolicy !== undefined && { imagePullPolicy: runtime.imagePullPolicy }),
    ports: [
      { name: 'http', containerPort: server.port, protocol: 'TCP' },
      // The adapter listens there. Named here, since Services did not find the names of a sidecar's ports before Kubernetes 1.32.
      { name: 'admin', containerPort: ADMIN_PORT, protocol: 'TCP' },
    ],
    env: withUsers(serverEnvironment(input, server), input),
    resources: runtime.resources ?? DEFAULT_RESOURCES,
    startupProbe: { ...live, periodSeconds: 1, failureThreshold: START_PATIENCE_SECONDS },
    livenessProbe: { ...live, periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: {
      httpGet: { path: server.readyPath, port: 'http' },
      timeoutSeconds: 5,
      periodSeconds: 2,
      failureThreshold: 3,
    },
    lifecycle: PRE_STOP,
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: MODEL_VOLUME.name, mountPath: folderOf(server.modelPath), readOnly: true }, TMP_MOUNT],
  };
}

function serverEnvironment({ modelDeployment, variant }: PodTemplateInput, server: Server): readonly EnvVar[] {
  return variables([
    ['MODEL_DEPLOYMENT', modelDeployment],
    ['VARIANT', variant],
    ['MODEL_PATH', server.modelPath],
    ['PORT', String(server.port)],
  ]);
}

function fileOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
