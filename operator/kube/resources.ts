// Which REST path a kind of object has.

export interface ResourceType {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

function namespaced(group: string, version: string, plural: string, kind: string): ResourceType {
  return { group, version, plural, kind, namespaced: true };
}

const CustomResourceDefinition: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

/** The built-in kinds in use. A custom resource brings its own ResourceType. */
export const RESOURCES = {
  CustomResourceDefinition,
  ConfigMap: namespaced('', 'v1', 'configmaps', 'ConfigMap'),
  Pod: namespaced('', 'v1', 'pods', 'Pod'),
  Secret: namespaced('', 'v1', 'secrets', 'Secret'),
  Service: namespaced('', 'v1', 'services', 'Service'),
  ServiceAccount: namespaced('', 'v1', 'serviceaccounts', 'ServiceAccount'),
  ControllerRevision: namespaced('apps', 'v1', 'controllerrevisions', 'ControllerRevision'),
  Deployment: namespaced('apps', 'v1', 'deployments', 'Deployment'),
  Lease: namespaced('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  EndpointSlice: namespaced('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice'),
  Event: namespaced('events.k8s.io', 'v1', 'events', 'Event'),
  PodDisruptionBudget: namespaced('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  Role: namespaced('rbac.authorization.k8s.io', 'v1', 'roles', 'Role'),
  RoleBinding: namespaced('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding'),
} as const satisfies Record<string, ResourceType>;

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: Pick<ResourceType, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

export interface ObjectPlace {
  /** Absent: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string | undefined;
  /** Absent: the collection. */
  readonly name?: string | undefined;
  readonly subresource?: 'status' | 'scale' | undefined;
}

/** The REST path of an object or of a collection. Throws RangeError for a namespace on a cluster-scoped kind. */
export function pathOf(type: ResourceType, { namespace, name, subresource }: ObjectPlace = {}): string {
  if (namespace !== undefined && !type.namespaced) throw new RangeError(`${type.kind} has no namespace`);
  if (namespace === undefined && name !== undefined && type.namespaced)
    throw new RangeError(`${type.kind} ${name} needs a namespace`);
  const root = type.group === '' ? ['api'] : ['apis', type.group];
  const within = namespace === undefined ? [] : ['namespaces', namespace];
  const parts = [...root, type.version, ...within, type.plural, name, subresource];
  return parts.flatMap((part) => (part === undefined ? [] : [`/${encodeURIComponent(part)}`])).join('');
}
