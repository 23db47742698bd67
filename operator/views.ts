// What we read of the objects in the caches: raw JSON in, our own small types out. The only place that knows where Kubernetes keeps a thing.
import * as z from 'zod';
import { isWhole, RouterTable, TABLE_KEY } from '../router/contract.ts';
import { LABEL_COMPONENT, LABEL_MODEL_DEPLOYMENT, LABEL_VARIANT } from './domain/labels.ts';
import { RELOAD_ANNOTATION, Spec } from './domain/model-deployment.ts';
import type { Crash, ServiceTarget, StoredRevision } from './domain/observed.ts';
import { Status } from './domain/status.ts';
import { parseControllerRevision } from './resources/controller-revision.ts';
import { RUNTIME_HASH, TOKEN_STAMP } from './resources/deployment.ts';
import { controllerOf, type StoredObject } from './kube/objects.ts';

/** What every view keeps of its object. */
export interface View {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** uid of the controlling owner. */
  readonly owner: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
}

/** A child that we apply: whole, so that the writer can see that nothing is to be done. */
export interface ChildView extends View {
  readonly object: StoredObject;
}

export interface ResourceView extends View {
  readonly generation: number;
  /** Value of the `reload` annotation: whoever changes it wants the store to be asked now. */
  readonly reload: string | undefined;
  /** Absent: what is stored does not fit the schema, for the reason in `invalid`. */
  readonly spec?: Spec;
  readonly invalid?: string;
  readonly status?: Status;
}

export interface PodView extends View {
  readonly ip?: string;
  readonly ready: boolean;
  readonly restarts: number;
  /** The newest end of one of its containers. */
  readonly crash?: Crash;
  /** Why a container does not start: `ImagePullBackOff: …`. */
  readonly problem?: string;
}

export interface DeploymentView extends ChildView {
  readonly replicas: number;
  readonly ready: number;
  readonly rolledOut: boolean;
  readonly runtimeHash: string | undefined;
  readonly tokenStamp?: string;
  /** Why pods are not made: quota, admission. */
  readonly problem?: string;
}

export interface ServiceView extends ChildView {
  readonly target?: ServiceTarget;
}

export interface TableView extends ChildView {
  readonly table?: RouterTable;
}

export interface RevisionView extends ChildView {
  readonly revision?: StoredRevision;
}

/** What every object has: names, owner, labels, and whether it is going away. */
export function viewOf(object: StoredObject): View {
  const { namespace, name, uid, resourceVersion, labels, deletionTimestamp } = object.metadata;
  return {
    namespace: namespace ?? '',
    name,
    uid,
    resourceVersion,
    owner: controllerOf(object),
    labels: labels ?? {},
    terminating: deletionTimestamp !== undefined,
  };
}

/** A child of which nothing but its being there is read. */
export function childView(object: StoredObject): ChildView {
  return { ...viewOf(object), object };
}

/** A ModelDeployment. An object stored before a rule existed may not fit: then `invalid` says why. */
export function resourceView(object: StoredObject): ResourceView {
  const spec = Spec.safeParse(object['spec']);
  const status = Status.safeParse(object['status'] ?? {});
  return {
    ...viewOf(object),
    generation: object.metadata.generation ?? 0,
    reload: object.metadata.annotations?.[RELOAD_ANNOTATION],
    ...(spec.success ? { spec: spec.data } : { invalid: firstIssue(spec.error) }),
    ...(status.success && { status: status.data }),
  };
}

const Terminated = z.object({
  reason: z.string().default(''),
  exitCode: z.number().default(0),
  containerID: z.string().optional(),
  finishedAt: z.string().default(''),
});
const ContainerStatus = z.object({
  restartCount: z.number().default(0),
  state: z
    .object({
      waiting: z.object({ reason: z.string().default(''), message: z.string().default('') }).optional(),
      terminated: Terminated.optional(),
    })
    .default({}),
  lastState: z.object({ terminated: Terminated.optional() }).default({}),
});
const PodStatus = z.object({
  podIP: z.string().optional(),
  conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() })).default([]),
  containerStatuses: z.array(ContainerStatus).default([]),
  /** The adapter beside another image is one of these, and stays. */
  initContainerStatuses: z.array(ContainerStatus).default([]),
});

const HARMLESS = new Set(['ContainerCreating', 'PodInitializing', '']);

/** A pod; its problem is a container that waits, else the scheduler's complaint. Throws ZodError for a status of another form. */
export function podView(object: StoredObject): PodView {
  const status = PodStatus.parse(object['status'] ?? {});
  const crash = newestCrash(status.containerStatuses);
  const all = [...status.initContainerStatuses, ...status.containerStatuses];
  const waiting = all.map(({ state }) => state.waiting).find((state) => !HARMLESS.has(state?.reason ?? ''));
  const unscheduled = status.conditions.find(({ type, status: value }) => type === 'PodScheduled' && value === 'False');
  const problem = waiting === undefined ? unscheduled?.message : `${waiting.reason}: ${waiting.message}`;
  return {
    ...viewOf(object),
    ...(status.podIP !== undefined && { ip: status.podIP }),
    ready: status.conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    restarts: all.reduce((sum, { restartCount }) => sum + restartCount, 0),
    ...(crash !== undefined && { crash }),
    ...(problem !== undefined && { problem }),
  };
}

function newestCrash(containers: readonly z.infer<typeof ContainerStatus>[]): Crash | undefined {
  const [newest] = containers
    .flatMap(({ state, lastState }) => [state.terminated, lastState.terminated])
    .filter((terminated) => terminated !== undefined)
    .toSorted((a, b) => (a.finishedAt < b.finishedAt ? 1 : -1));
  if (newest === undefined) return undefined;
  const { containerID, finishedAt, reason, exitCode } = newest;
  return { id: containerID ?? finishedAt, reason, exitCode };
}

const DeploymentStatus = z.object({
  observedGeneration: z.number().default(0),
  replicas: z.number().default(0),
  updatedReplicas: z.number().default(0),
  readyReplicas: z.number().default(0),
  conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') })).default([]),
});
const DeploymentSpec = z.object({
  replicas: z.number().default(1),
  template: z
    .object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }).default({ annotations: {} }),
    })
    .default({ metadata: { annotations: {} } }),
});

/** A Deployment; rolled out when no pod of an older template is left. Throws ZodError for a status of another form. */
export function deploymentView(object: StoredObject): DeploymentView {
  const { replicas, template } = DeploymentSpec.parse(object['spec'] ?? {});
  const tokenStamp = template.metadata.annotations[TOKEN_STAMP];
  const status = DeploymentStatus.parse(object['status'] ?? {});
  const seen = status.observedGeneration >= (object.metadata.generation ?? 0);
  const failure = status.conditions.find(({ type, status: value }) => type === 'ReplicaFailure' && value === 'True');
  return {
    ...childView(object),
    replicas,
    ready: status.readyReplicas,
    rolledOut: seen && status.updatedReplicas === status.replicas && (status.updatedReplicas > 0 || replicas === 0),
    runtimeHash: object.metadata.annotations?.[RUNTIME_HASH],
    ...(tokenStamp !== undefined && { tokenStamp }),
    ...(failure !== undefined && { problem: failure.message }),
  };
}

const ServiceSpec = z.object({ selector: z.record(z.string(), z.string()).default({}) });

/** A Service and, when it is a stable one, where it sends its traffic. Throws ZodError for a spec of another form. */
export function serviceView(object: StoredObject): ServiceView {
  const { selector } = ServiceSpec.parse(object['spec'] ?? {});
  const variant = selector[LABEL_VARIANT];
  if (selector[LABEL_COMPONENT] === 'router') return { ...childView(object), target: { kind: 'router' } };
  return { ...childView(object), ...(variant !== undefined && { target: { kind: 'variant', variant } }) };
}

/** A ConfigMap; `table` only for the one of a router, when it is intact. */
export function tableView(object: StoredObject): TableView {
  const data = z.record(z.string(), z.string()).safeParse(object['data'] ?? {});
  const table = RouterTable.safeParse(parseJson(data.data?.[TABLE_KEY]));
  return { ...childView(object), ...(table.success && isWhole(table.data) && { table: table.data }) };
}

/** A ControllerRevision; `revision` is absent when it is not one of ours. */
export function revisionView(object: StoredObject): RevisionView {
  const revision = parseControllerRevision(object);
  return { ...childView(object), ...(revision !== undefined && { revision }) };
}

/** `namespace/name` of the ModelDeployment that a child or pod belongs to, by its labels. */
export function keyOfOwner(view: View | undefined): string | undefined {
  if (view === undefined) return undefined;
  const { namespace, labels } = view;
  const name = labels[LABEL_MODEL_DEPLOYMENT];
  return name === undefined ? undefined : `${namespace}/${name}`;
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'does not fit the schema' : `spec.${issue.path.join('.')}: ${issue.message}`;
}
