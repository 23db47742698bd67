// Which objects are watched, what is kept of them, and which resource has to be looked at when one changes.
import { ALL_MANAGED, LABEL_COMPONENT, LABEL_MODEL_DEPLOYMENT } from './domain/labels.ts';
import { canonicalJson } from './runtime/canonical-json.ts';
import { KIND } from './domain/model-deployment.ts';
import { PRUNED, type Caches } from './deps.ts';
import { Cache, type CacheReader, type Change } from './kube/cache.ts';
import type { KubeClient } from './kube/client.ts';
import type { KubeError } from './kube/errors.ts';
import type { StoredObject } from './kube/objects.ts';
import { RESOURCES, type ObjectPlace, type ResourceType } from './kube/resources.ts';
import { newWatchHealth, watch, type WatchHealth } from './kube/watch.ts';
import type { Logger } from './logger.ts';
import { MODEL_DEPLOYMENT } from './model-deployment-type.ts';
import type { Clock } from './runtime/clock.ts';
import type { WorkQueue } from './runtime/work-queue.ts';
import {
  childView,
  deploymentView,
  keyOfOwner,
  podView,
  resourceView,
  revisionView,
  serviceView,
  tableView,
  type ChildView,
  type ResourceView,
  type View,
} from './views.ts';

export interface InformerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly queue: WorkQueue;
  readonly log: Logger;
  /** Called for each interruption of a list or watch. */
  readonly onWatchFailure?: (kind: string) => void;
  readonly signal: AbortSignal;
}

export interface Informers {
  readonly caches: Caches;
  /** Resolves when every cache has its first complete list. */
  readonly synced: Promise<void>;
  /** Why the caches cannot be believed; undefined when they can. */
  readonly problem: () => string | undefined;
  /** A child as cached, for the writer. */
  readonly cached: (type: ResourceType, place: ObjectPlace) => StoredObject | undefined;
  /** Takes what a write returned. */
  readonly put: (type: ResourceType, object: StoredObject) => void;
}

/** A watch that has had no stream for so long makes the operator unready. */
const DEAD_MS = 60_000;

/** Starts the watches; they end with the signal. */
export function startInformers(options: InformerOptions): Informers {
  const health = new Map<string, WatchHealth>();
  const caches = startCaches(options, health);
  const byKind: ReadonlyMap<string, Pick<Cache<ChildView>, 'get' | 'put'>> = new Map(
    PRUNED.map((kind) => [kind, caches[kind]]),
  );
  return {
    caches,
    synced: Promise.all(Object.values(caches).map(({ synced }) => synced)).then(() => undefined),
    problem: () => problemOf(caches, health, options.clock),
    cached: (type, { namespace, name }) => byKind.get(type.kind)?.get(namespace, name ?? '')?.object,
    put: (type, object) => {
      if (type.kind === KIND) caches.resources.put(object);
      else byKind.get(type.kind)?.put(object);
    },
  };
}

type StartedCaches = { readonly [K in keyof Caches]: Cache<ViewOf<Caches[K]>> };
type ViewOf<C> = C extends CacheReader<infer T> ? T : never;

function startCaches(options: InformerOptions, health: Map<string, WatchHealth>): StartedCaches {
  const { queue, log } = options;
  const onBadObject = (error: unknown, object: StoredObject) =>
    log.error({ err: error, kind: object.kind, name: object.metadata.name }, 'an object could not be read');
  const onChange = (change: Change<View>) => {
    const key = keyOfOwner(change.after ?? change.before);
    if (key !== undefined) queue.add(key);
  };
  const children = <T extends ChildView>(type: ResourceType, project: (object: StoredObject) => T) =>
    follow(options, health, type, new Cache<T>({ project, onChange, onBadObject }), ALL_MANAGED);
  const resources = new Cache({
    project: resourceView,
    onChange: (change: Change<ResourceView>) => enqueueResource(queue, change),
    onBadObject,
  });
  const pods = new Cache({ project: podView, indexBy: indexPod, onChange, onBadObject });
  return {
    resources: follow(options, health, MODEL_DEPLOYMENT, resources),
    pods: follow(options, health, RESOURCES.Pod, pods, `${LABEL_MODEL_DEPLOYMENT},${LABEL_COMPONENT}`),
    Deployment: children(RESOURCES.Deployment, deploymentView),
    Service: children(RESOURCES.Service, serviceView),
    ConfigMap: children(RESOURCES.ConfigMap, tableView),
    ControllerRevision: children(RESOURCES.ControllerRevision, revisionView),
    PodDisruptionBudget: children(RESOURCES.PodDisruptionBudget, childView),
    ServiceAccount: children(RESOURCES.ServiceAccount, childView),
    Role: children(RESOURCES.Role, childView),
    RoleBinding: children(RESOURCES.RoleBinding, childView),
  };
}

function follow<T>(
  options: InformerOptions,
  health: Map<string, WatchHealth>,
  type: ResourceType,
  cache: Cache<T>,
  labelSelector?: string,
): Cache<T> {
  const watched = newWatchHealth(options.clock);
  health.set(type.kind, watched);
  const onFailure = ({ status, reason, message }: KubeError) => {
    options.onWatchFailure?.(type.kind);
    options.log.warn({ kind: type.kind, status, reason, message }, 'watch interrupted');
  };
  void cache.follow(watch({ ...options, type, labelSelector, health: watched, onFailure }));
  return cache;
}

/** Our own status writes come back as changes: they are no reason for another pass. */
function enqueueResource(queue: WorkQueue, { namespace, name, before, after }: Change<ResourceView>): void {
  const said = (view: ResourceView | undefined) =>
    view && canonicalJson([view.uid, view.generation, view.terminating, view.reload]);
  if (said(before) !== said(after)) queue.add(`${namespace ?? ''}/${name}`);
}

function indexPod(object: StoredObject): readonly string[] {
  const name = object.metadata.labels?.[LABEL_MODEL_DEPLOYMENT];
  return name === undefined ? [] : [`${object.metadata.namespace ?? ''}/${name}`];
}

function problemOf(caches: Caches, health: ReadonlyMap<string, WatchHealth>, clock: Clock): string | undefined {
  const unsynced = Object.entries(caches).find(([, { isSynced }]) => !isSynced);
  if (unsynced !== undefined) return `${unsynced[0]} is not listed yet`;
  for (const [kind, { deadSince }] of health) {
    if (deadSince !== undefined && clock.monotonic() - deadSince > DEAD_MS)
      return `the watch of ${kind} has been dead for a minute`;
  }
  return undefined;
}
