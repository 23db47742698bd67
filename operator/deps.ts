// What reconcile works with: one plain object that main.ts puts together and tests replace in parts.
import type { Resolution, WantedArtifact } from './artifacts/source.ts';
import type { Config } from './config.ts';
import type { Transition } from './domain/transitions.ts';
import type { ObjectWriter } from './kube/apply-object.ts';
import type { CacheReader } from './kube/cache.ts';
import type { Logger } from './logger.ts';
import type { Memory } from './memory.ts';
import type { Metrics } from './metrics.ts';
import type { ReloadClient } from './pods/reload-client.ts';
import type { PodReports } from './pods/reports.ts';
import type { RouterReports } from './pods/router-reports.ts';
import type { Clock } from './runtime/clock.ts';
import type {
  ChildView,
  DeploymentView,
  PodView,
  ResourceView,
  RevisionView,
  ServiceView,
  TableView,
} from './views.ts';

/** Informers of everything that a reconcile reads but Secrets, which are read by name. Pods are indexed by the key of their resource. */
export interface Caches {
  readonly resources: CacheReader<ResourceView>;
  readonly pods: CacheReader<PodView>;
  readonly Deployment: CacheReader<DeploymentView>;
  readonly Service: CacheReader<ServiceView>;
  readonly ConfigMap: CacheReader<TableView>;
  readonly ControllerRevision: CacheReader<RevisionView>;
  readonly PodDisruptionBudget: CacheReader<ChildView>;
  readonly ServiceAccount: CacheReader<ChildView>;
  readonly Role: CacheReader<ChildView>;
  readonly RoleBinding: CacheReader<ChildView>;
}

/** Kinds of children that are found again by their owner, and pruned. */
export const PRUNED = [
  'Deployment',
  'Service',
  'ConfigMap',
  'ControllerRevision',
  'PodDisruptionBudget',
  'RoleBinding',
  'Role',
  'ServiceAccount',
] as const;
export type PrunedKind = (typeof PRUNED)[number];

/** The S3 poller, as reconcile sees it. */
export interface Artifacts {
  /** Replaces what the resource wants to follow; an empty list ends it. */
  want(key: string, wanted: readonly WantedArtifact[]): void;
  resolution(wanted: WantedArtifact): Resolution;
  /** Asks the store about the resource's keys now. */
  poke(key: string): void;
}

export interface Deps {
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Logger;
  readonly caches: Caches;
  readonly writer: ObjectWriter;
  readonly artifacts: Artifacts;
  readonly pods: ReloadClient;
  readonly reports: PodReports;
  readonly routers: RouterReports;
  readonly memory: Memory;
  readonly metrics: Metrics;
  /** `data` of a Secret that the object with uid `owner` controls; undefined when there is none, or another's. Throws KubeError. */
  readonly readSecret: (
    namespace: string,
    name: string,
    owner: string,
    signal: AbortSignal,
  ) => Promise<Readonly<Record<string, string>> | undefined>;
  /** Best effort: never fails a reconcile. */
  readonly emit: (resource: ResourceView, transition: Transition) => void;
  readonly newToken: () => string;
}
