// Everything that the built-in router of one resource is made of. The table is in a ConfigMap that the agent watches, so a new weight
// restarts nothing; the sticky key and the override header are in the pods' environment, so a change of them rolls the pods.
import {
  AGENT_PORT,
  type RouterTable,
  STATUS_PORT,
  type StickyKey,
  TABLE_KEY,
  TIMES,
  TRAFFIC_PORT,
} from '../../router/contract.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import { labelsFor, routerSelector } from '../domain/labels.ts';
import type { Traffic } from '../domain/model-deployment.ts';
import { routerName } from '../domain/names.ts';
import { buildRouterDisruptionBudget } from './disruption-budget.ts';
import { childMetadata, type Manifest, type Metadata, type Owner } from './metadata.ts';
import { CONTAINER_SECURITY, podSecurity } from './pod-security.ts';
import { TRAFFIC_PORT_NAME } from './service.ts';
import { spread } from './topology-spread.ts';

export interface RouterInput {
  readonly owner: Owner;
  readonly images: { readonly haproxy: string; readonly operator: string };
  readonly table: RouterTable;
  readonly sticky?: Traffic['sticky'];
  readonly overrideHeader?: string;
}

const REPLICAS = 2;
/** HAProxy and its agent share a socket that only this user may open. */
const USER = 65532;
const RUN_DIRECTORY = '/run/haproxy';
/** Path in the operator's image, whose entry point is node. */
const PROGRAM = '/app/router/main.js';
/** For the last answers after HAProxy's own hard stop. */
const GRACE_MARGIN_SECONDS = 15;

/** All objects of the router, dependencies first. */
export function buildRouter(input: RouterInput): Manifest[] {
  return [
    buildTableConfigMap(input),
    ...buildAccess(input.owner),
    buildRouterDeployment(input),
    buildRouterDisruptionBudget(input.owner),
  ];
}

/** ConfigMap with the table as canonical JSON: an equal table gives an equal ConfigMap. */
function buildTableConfigMap({ owner, table }: Pick<RouterInput, 'owner' | 'table'>): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(owner),
    data: { [TABLE_KEY]: canonicalJson(table) },
  };
}

/** ServiceAccount, Role and RoleBinding: that one ConfigMap, and the EndpointSlices of the namespace. */
function buildAccess(owner: Owner): Manifest[] {
  const name = routerName(owner.name);
  const verbs = ['get', 'list', 'watch'];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(owner), automountServiceAccountToken: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: metadata(owner),
      rules: [
        // A list or watch that is limited to a name is allowed only with the field selector metadata.name.
        { apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata(owner),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: owner.namespace }],
    },
  ];
}

function buildRouterDeployment(input: RouterInput): Manifest {
  const { owner } = input;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(owner),
    spec: {
      replicas: REPLICAS,
      revisionHistoryLimit: 2,
      selector: { matchLabels: routerSelector(owner.name) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: metadata(owner).labels }, spec: podSpec(input) },
    },
  };
}

function podSpec(input: RouterInput): object {
  return {
    serviceAccountName: routerName(input.owner.name),
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: TIMES.preStop + TIMES.hardStop + GRACE_MARGIN_SECONDS,
    securityContext: podSecurity(USER),
    topologySpreadConstraints: spread(routerSelector(input.owner.name)),
    volumes: [{ name: 'run', emptyDir: { sizeLimit: '16Mi' } }],
    initContainers: [{ ...program(input, 'render'), name: 'render' }],
    containers: [haproxyContainer(input), agentContainer(input)],
  };
}

function haproxyContainer({ images }: RouterInput): object {
  const healthy = { httpGet: { path: '/healthz', port: 'status' }, timeoutSeconds: 3 };
  return {
    ...confined(),
    name: 'haproxy',
    image: images.haproxy,
    // One process without a master. The image's stop signal is SIGUSR1: end when the last connection has ended.
    command: ['haproxy', '-db', '-f', `${RUN_DIRECTORY}/haproxy.cfg`],
    ports: [
      { name: TRAFFIC_PORT_NAME, containerPort: TRAFFIC_PORT, protocol: 'TCP' },
      { name: 'status', containerPort: STATUS_PORT, protocol: 'TCP' },
    ],
    resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '384Mi' } },
    startupProbe: { ...healthy, periodSeconds: 1, failureThreshold: 30 },
    livenessProbe: { ...healthy, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { ...healthy, periodSeconds: 2, failureThreshold: 3 },
    lifecycle: { preStop: { sleep: { seconds: TIMES.preStop } } },
  };
}

function agentContainer(input: RouterInput): object {
  const asked = (path: string) => ({ httpGet: { path, port: 'agent' }, timeoutSeconds: 3 });
  return {
    ...program(input, 'agent'),
    name: 'agent',
    ports: [{ name: 'agent', containerPort: AGENT_PORT, protocol: 'TCP' }],
    // No preStop: at SIGTERM it makes HAProxy end its connections, and stays until HAProxy has gone.
    startupProbe: { ...asked('/healthz'), periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { ...asked('/healthz'), periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...asked('/readyz'), periodSeconds: 1, failureThreshold: 3 },
  };
}

function program({ owner, images, sticky, overrideHeader }: RouterInput, mode: 'render' | 'agent'): object {
  const key = stickyKey(sticky);
  const settings: readonly (readonly [string, string | undefined])[] = [
    ['MODEL_DEPLOYMENT', owner.name],
    ['TABLE_CONFIG_MAP', routerName(owner.name)],
    ['RUN_DIRECTORY', RUN_DIRECTORY],
    ['STICKY', key === undefined ? undefined : canonicalJson(key)],
    ['OVERRIDE_HEADER', overrideHeader],
  ];
  return {
    ...confined(),
    image: images.operator,
    args: [PROGRAM, mode],
    env: [
      ...settings.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
      fromField('POD_NAMESPACE', 'metadata.namespace'),
      fromField('POD_IP', 'status.podIP'),
    ],
    resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '192Mi' } },
  };
}

function confined(): object {
  return {
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: 'run', mountPath: RUN_DIRECTORY }],
  };
}

function fromField(name: string, fieldPath: string): object {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}

/** The spec's `sticky` as the router takes it; a header goes before a cookie, a cookie before the address. */
export function stickyKey(sticky: Traffic['sticky']): StickyKey | undefined {
  if (sticky?.header !== undefined) return { header: sticky.header };
  if (sticky?.cookie !== undefined) return { cookie: sticky.cookie };
  return sticky?.clientAddress === undefined ? undefined : { clientAddress: {} };
}

function metadata(owner: Owner): Metadata {
  return childMetadata(owner, routerName(owner.name), labelsFor({ name: owner.name, component: 'router' }));
}
