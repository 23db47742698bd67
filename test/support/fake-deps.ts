// Dependencies of a reconcile in memory: caches filled by hand, pods that answer as told, and every write recorded in order.
import { PodReports } from '../../operator/pods/reports.ts';
import type { AppliedOutcome } from '../../operator/pods/router-client.ts';
import { RouterReports } from '../../operator/pods/router-reports.ts';
import type { Resolution } from '../../operator/artifacts/source.ts';
import { loadConfig } from '../../operator/config.ts';
import type { Caches, Deps } from '../../operator/deps.ts';
import { Status } from '../../operator/domain/status.ts';
import { Cache } from '../../operator/kube/cache.ts';
import { KubeError, NameConflictError } from '../../operator/kube/errors.ts';
import type { StoredObject } from '../../operator/kube/objects.ts';
import { createLogger } from '../../operator/logger.ts';
import { Memory } from '../../operator/memory.ts';
import { createMetrics } from '../../operator/metrics.ts';
import type { InfoOutcome, ReloadOutcome } from '../../operator/pods/reload-client.ts';
import {
  childView,
  deploymentView,
  podView,
  resourceView,
  revisionView,
  serviceView,
  tableView,
} from '../../operator/views.ts';
import { FakeClock } from './fake-clock.ts';

type FilledCaches = Caches & {
  readonly resources: Cache<ReturnType<typeof resourceView>>;
  readonly pods: Cache<ReturnType<typeof podView>>;
  readonly ControllerRevision: Cache<ReturnType<typeof revisionView>>;
};

export interface World {
  readonly deps: Deps;
  readonly caches: FilledCaches;
  /** `apply Kind/name`, `status phase`, `delete Kind/name`, `reload ip revision`, `event Reason`, in the order of the calls. */
  readonly calls: string[];
  resolution: Resolution;
  info: InfoOutcome;
  reload: ReloadOutcome;
  token: string | undefined;
  /** uid of the object that controls the Secret with the token. */
  tokenOwner: string;
  /** `data` of the Secret applied last. */
  secret?: unknown;
  /** The status written last. */
  written?: Status;
  /** Kinds that the API server refuses, and how. */
  readonly refused: Map<string, Error>;
  /** What every router answers. */
  applied: AppliedOutcome;
  readonly clock: FakeClock;
}

/** An object as the API server stores it. */
export function stored(kind: string, name: string, fields: object = {}, metadata: object = {}): StoredObject {
  const meta = { name, namespace: 'ml', uid: `uid-${kind}-${name}`, resourceVersion: '1', generation: 1, ...metadata };
  return { apiVersion: 'v1', ...fields, kind, metadata: meta };
}

/** The change that a watch would tell of. */
export function put<T>(cache: Cache<T>, object: StoredObject): void {
  cache.take({ kind: 'changed', object });
}

export function fakeWorld(): World {
  const calls: string[] = [];
  const caches = {
    resources: new Cache({ project: resourceView }),
    pods: new Cache({
      project: podView,
      indexBy: ({ metadata }) => [`ml/${metadata.labels?.['switchyard.dev/model-deployment'] ?? ''}`],
    }),
    Deployment: new Cache({ project: deploymentView }),
    Service: new Cache({ project: serviceView }),
    ConfigMap: new Cache({ project: tableView }),
    ControllerRevision: new Cache({ project: revisionView }),
    PodDisruptionBudget: new Cache({ project: childView }),
    ServiceAccount: new Cache({ project: childView }),
    Role: new Cache({ project: childView }),
    RoleBinding: new Cache({ project: childView }),
  };
  const world: Omit<World, 'deps'> = {
    caches,
    calls,
    resolution: {
      kind: 'resolved',
      artifact: { store: 'aws', bucket: 'models', key: 'k', versionId: 'v1' },
      listedAt: 0,
    },
    info: { kind: 'unreachable', message: 'no answer' },
    reload: { kind: 'unreachable', message: 'no answer' },
    token: 'token',
    tokenOwner: 'uid-ModelDeployment-retail',
    refused: new Map(),
    applied: { kind: 'unreachable', message: 'no answer' },
    clock: new FakeClock(),
  };
  return Object.assign(world, { deps: fakeDeps(world) });
}

function fakeDeps(world: Omit<World, 'deps'>): Deps {
  const { calls, caches, clock } = world;
  return {
    clock,
    config: loadConfig({ MODEL_BUCKET: 'models', SWITCHYARD_CONFIG: '/none' }, () => ''),
    log: createLogger('silent'),
    metrics: createMetrics(),
    caches,
    writer: fakeWriter(world),
    artifacts: {
      want: (_key, wanted) => {
        if (wanted.length === 0) calls.push('want nothing');
      },
      resolution: () => world.resolution,
      poke: () => void calls.push('poke'),
    },
    pods: {
      reload: (ip, _token, { revision }) => {
        calls.push(`reload ${ip} ${revision ?? ''}`);
        return Promise.resolve(world.reload);
      },
      info: () => Promise.resolve(world.info),
      drain: () => Promise.resolve({ kind: 'draining', remaining: 0 }),
      close: () => undefined,
    },
    reports: new PodReports({ clock, ask: () => Promise.resolve(world.info), concurrency: 4, maxAgeMs: 60_000 }),
    routers: new RouterReports({ clock, ask: () => Promise.resolve(world.applied) }),
    memory: new Memory(),
    readSecret: (_namespace, _name, owner) =>
      Promise.resolve(
        world.token === undefined || owner !== world.tokenOwner ? undefined : { token: btoa(world.token) },
      ),
    emit: (_resource, { reason }) => void calls.push(`event ${reason}`),
    newToken: () => 'new-token',
  };
}

function fakeWriter(world: Omit<World, 'deps'>): Deps['writer'] {
  const { calls, refused, caches } = world;
  return {
    apply: (type, intent) => {
      const error = refused.get(type.kind);
      if (error !== undefined) return Promise.reject(error);
      calls.push(`apply ${type.kind}/${intent.metadata.name}`);
      if (type.kind === 'Secret') world.secret = intent['data'];
      const object = stored(type.kind, intent.metadata.name, intent, { ...intent.metadata });
      if (type.kind === 'ControllerRevision') put(caches.ControllerRevision, object);
      return Promise.resolve({ object, outcome: 'created' });
    },
    applyStatus: (type, { name }, status) => {
      const error = refused.get(type.kind);
      if (error !== undefined) return Promise.reject(error);
      calls.push(`status ${String(status['phase'])}`);
      world.written = Status.parse(status);
      const current = caches.resources.get('ml', name);
      return Promise.resolve(stored('ModelDeployment', name, { spec: current?.spec, status }));
    },
    delete: (type, { name }) => {
      calls.push(`delete ${type.kind}/${name}`);
      return Promise.resolve('deleted');
    },
    forgetOwner: (uid) => void calls.push(`forget ${uid}`),
  };
}

export const nameConflict = (kind: string, name: string) => new NameConflictError(kind, { namespace: 'ml', name });
export const quotaExceeded = () => new KubeError({ status: 403, reason: 'Forbidden', message: 'exceeded quota: pods' });
