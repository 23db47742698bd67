// The only reads of a reconcile: caches, the admin Secret, the poller, and what pods and routers report. Out comes `Observed`.
import type { WantedArtifact } from './artifacts/source.ts';
import type { Deps } from './deps.ts';
import { durationMs } from './domain/duration.ts';
import { LABEL_COMPONENT, LABEL_VARIANT } from './domain/labels.ts';
import type { Spec, Variant } from './domain/model-deployment.ts';
import { adminSecretName, routerName, serviceName, variantName } from './domain/names.ts';
import type { Observed, PodObserved, RouterObserved, VariantObserved, WorkloadObserved } from './domain/observed.ts';
import { sourceOf } from './domain/wanted-revision.ts';
import type { Pass, ValidResource } from './pass.ts';
import type { PodKnown } from './pods/reports.ts';
import { parseAdminToken } from './resources/admin-secret.ts';
import type { DeploymentView, PodView } from './views.ts';

/** Throws KubeError when the API server does not answer; silent pods and stores are part of what is observed. */
export async function observe(pass: Pass<ValidResource>): Promise<Observed> {
  const { deps, key, resource, signal } = pass;
  const { caches, memory } = deps;
  const { namespace, name, uid } = resource;
  const token = parseAdminToken(await deps.readSecret(namespace, adminSecretName(name), uid, signal));
  const pods = caches.pods.byIndex(key);
  const models = pods.filter(({ labels }) => labels[LABEL_COMPONENT] === 'model');
  const reports =
    token === undefined ? new Map<string, PodKnown>() : await deps.reports.collect(key, models, token, signal);
  const routers = pods.filter(({ labels }) => labels[LABEL_COMPONENT] === 'router');
  const service = caches.Service.get(namespace, serviceName(name));
  const revisions = caches.ControllerRevision.byOwner(uid).flatMap(({ revision }) =>
    revision === undefined ? [] : [[revision.name, revision] as const],
  );
  return {
    variants: observeVariants(pass, models, reports),
    leaving: observeLeaving(resource, models),
    revisions: new Map(revisions),
    router: await observeRouter(pass, routers),
    ...(service?.owner === uid && service.target !== undefined && { service: service.target }),
    drained: memory.isDrained(key, resource.status?.draining?.id),
    adminToken: token,
    obstacles: memory.obstacles(key),
  };
}

function observeVariants(
  { deps, key, resource }: Pass<ValidResource>,
  pods: readonly PodView[],
  reports: ReadonlyMap<string, PodKnown>,
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

function observeLeaving({ spec }: ValidResource, pods: readonly PodView[]): ReadonlyMap<string, number> {
  const known = new Set(spec.variants.map(({ name }) => name));
  const ready = pods.filter((pod) => pod.ready && !pod.terminating).map(({ labels }) => labels[LABEL_VARIANT] ?? '');
  const byVariant = Map.groupBy(
    ready.filter((name) => !known.has(name)),
    (name) => name,
  );
  return new Map([...byVariant].map(([name, pods]) => [name, pods.length]));
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

function workloadOf({ replicas, ready, rolledOut, runtimeHash, tokenStamp }: DeploymentView): WorkloadObserved {
  return { replicas, ready, rolledOut, runtimeHash, ...(tokenStamp !== undefined && { tokenStamp }) };
}

function podOf(pod: PodView, known: PodKnown = {}): PodObserved {
  const { name, uid, ip, ready, restarts, crash } = pod;
  return {
    name,
    uid,
    ready,
    restarts,
    terminating: pod.terminating,
    ...(ip !== undefined && { ip }),
    ...(crash !== undefined && { crash }),
    ...known,
  };
}

async function observeRouter({ deps, key, resource, signal }: Pass, pods: readonly PodView[]): Promise<RouterObserved> {
  const { namespace, name, uid } = resource;
  const { caches, memory, routers, clock } = deps;
  const config = caches.ConfigMap.get(namespace, routerName(name));
  const table = config?.owner === uid ? config.table : undefined;
  const since = memory.confirmingSince(key);
  return {
    ...(await routers.collect(key, pods, signal)),
    ...(table !== undefined && { table }),
    ...(since !== undefined && { waitedMs: clock.monotonic() - since }),
  };
}
