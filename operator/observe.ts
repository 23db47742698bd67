// The only reads of a reconcile: caches, the admin Secret, the poller, and what pods and routers report. Out comes `Observed`.
import type { WantedArtifact } from './artifacts/source.ts';
import type { Deps } from './deps.ts';
import { durationMs } from './domain/duration.ts';
import { LABEL_COMPONENT, LABEL_VARIANT } from './domain/labels.ts';
import type { Spec, Variant } from './domain/model-deployment.ts';
import { adminSecretName, routerName, serviceName, variantName } from './domain/names.ts';
import type {
  Observed,
  PodObserved,
  RouterObserved,
  RouterPodObserved,
  VariantObserved,
  WorkloadObserved,
} from './domain/observed.ts';
import { sourceOf } from './domain/variant.ts';
import type { ModelInfo } from '../inference/contract.ts';
import { parseAdminToken } from './resources/admin-secret.ts';
import type { DeploymentView, PodView, ResourceView } from './views.ts';

const ROUTER_DEADLINE_MS = 2000;

/** Throws KubeError when the API server does not answer; silent pods and stores are part of what is observed. */
export async function observe(
  deps: Deps,
  key: string,
  resource: ResourceView & { spec: Spec },
  signal: AbortSignal,
): Promise<Observed> {
  const { caches, memory } = deps;
  const { namespace, name, uid } = resource;
  const token = parseAdminToken(await deps.readSecret(namespace, adminSecretName(name), uid, signal));
  const pods = caches.pods.byIndex(key);
  const models = pods.filter(({ labels }) => labels[LABEL_COMPONENT] === 'model');
  const reports =
    token === undefined ? new Map<string, ModelInfo>() : await deps.reports.collect(key, models, token, signal);
  const routers = pods.filter(({ labels }) => labels[LABEL_COMPONENT] === 'router');
  const service = caches.Service.get(namespace, serviceName(name));
  const revisions = caches.ControllerRevision.byOwner(uid).flatMap(({ revision }) =>
    revision === undefined ? [] : [[revision.name, revision] as const],
  );
  return {
    variants: observeVariants(deps, key, resource, models, reports),
    revisions: new Map(revisions),
    router: await observeRouter(deps, resource, routers, signal),
    ...(service?.owner === uid && service.target !== undefined && { service: service.target }),
    drained: memory.isDrained(key, resource.status?.draining?.id),
    adminToken: token,
    obstacles: memory.obstacles(key),
  };
}

function observeVariants(
  deps: Deps,
  key: string,
  resource: ResourceView & { spec: Spec },
  pods: readonly PodView[],
  reports: ReadonlyMap<string, ModelInfo>,
): ReadonlyMap<string, VariantObserved> {
  const { spec, namespace, name, uid } = resource;
  const wanted = spec.variants.map((variant) => wantedOf(deps, spec, namespace, variant));
  deps.artifacts.want(key, wanted);
  return new Map(
    spec.variants.map((variant) => {
      const own = pods.filter(({ labels }) => labels[LABEL_VARIANT] === variant.name);
      const deployment = deps.caches.Deployment.get(namespace, variantName(name, variant.name));
      const workload = deployment?.owner === uid ? workloadOf(deployment) : undefined;
      const problem = deployment?.problem ?? own.find((pod) => pod.problem !== undefined)?.problem;
      const observed: VariantObserved = {
        artifact: deps.artifacts.resolution(wantedOf(deps, spec, namespace, variant)),
        pods: own.map((pod) => podOf(pod, reports.get(pod.uid))),
        ...(workload !== undefined && { workload }),
        ...(problem !== undefined && { problem }),
      };
      return [variant.name, observed] as const;
    }),
  );
}

function wantedOf({ config }: Deps, spec: Spec, namespace: string, variant: Variant): WantedArtifact {
  const { store, bucket, region, credentials } = sourceOf(spec, config);
  return {
    source: { store, bucket: bucket === '' ? undefined : bucket, region, namespace, credentialsSecret: credentials },
    key: variant.model.key,
    versionId: variant.model.versionId,
    intervalMs: durationMs(spec.source.pollInterval),
  };
}

function workloadOf({ replicas, ready, rolledOut, runtimeHash }: DeploymentView): WorkloadObserved {
  return { replicas, ready, rolledOut, runtimeHash };
}

function podOf(pod: PodView, report: ModelInfo | undefined): PodObserved {
  const { name, uid, ip, ready, restarts, oomKilledAt } = pod;
  return {
    name,
    uid,
    ready,
    restarts,
    terminating: pod.terminating,
    ...(ip !== undefined && { ip }),
    ...(oomKilledAt !== undefined && { oomKilledAt }),
    ...(report !== undefined && { report }),
  };
}

async function observeRouter(
  deps: Deps,
  { namespace, name, uid }: ResourceView,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<RouterObserved> {
  const config = deps.caches.ConfigMap.get(namespace, routerName(name));
  const table = config?.owner === uid ? config.table : undefined;
  const asked = pods.map(async (pod): Promise<RouterPodObserved> => {
    const base = { name: pod.name, ready: pod.ready, terminating: pod.terminating };
    if (pod.ip === undefined) return base;
    const outcome = await deps.routers.applied(pod.ip, { signal, deadlineMs: ROUTER_DEADLINE_MS });
    return outcome.kind === 'applied' ? { ...base, applied: outcome.applied } : base;
  });
  return { ...(table !== undefined && { table }), pods: await Promise.all(asked) };
}
