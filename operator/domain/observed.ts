// What the cluster, the store and the pods say right now, in our own small types: the input of every decision.
import type { ModelInfo } from '../../inference/contract.ts';
import type { Applied, RouterTable } from '../../router/contract.ts';
import type { ResolvedArtifact } from './artifact.ts';

/** How a container of a pod ended last. */
export interface Crash {
  /** Names this end among all of the pod. */
  readonly id: string;
  /** As Kubernetes has it: `OOMKilled`, `Error`, `Completed`. */
  readonly reason: string;
  readonly exitCode: number;
}

/** The last reload call that reached the pod, as far as this process remembers. */
export interface Told {
  readonly revision: string;
  readonly agoMs: number;
  /** The crash that was known of at that time. */
  readonly crashId: string | undefined;
  /** Ends of a container after earlier calls for the same revision. */
  readonly crashes: number;
}

/** A pod of a variant and what it reported of itself. */
export interface PodObserved {
  readonly name: string;
  readonly uid: string;
  readonly ip?: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly restarts: number;
  readonly crash?: Crash;
  readonly told?: Told;
  /** Absent: the pod did not answer, or has no address yet. */
  readonly report?: ModelInfo;
  /** It was started with another token than the admin Secret has. */
  readonly refusesToken?: true;
}

/** The Deployment of a variant. */
export interface WorkloadObserved {
  readonly replicas: number;
  readonly ready: number;
  /** Runtime hash that its template was rendered for. */
  readonly runtimeHash: string | undefined;
  /** Every pod has the template last asked for, and none of an older template is left. */
  readonly rolledOut: boolean;
  /** Stamp of the admin token in its template: see tokenStampOf. */
  readonly tokenStamp?: string;
}

/** Why a store cannot say which version a key has. */
export type StoreFailureReason =
  | 'NoSuchKey'
  | 'NoSuchBucket'
  | 'AccessDenied'
  | 'Throttled'
  | 'StoreUnreachable'
  | 'UnknownStore'
  | 'InvalidCredentials';

/** What the store says about a variant's key. */
export type ArtifactState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'resolved'; readonly artifact: ResolvedArtifact; readonly listedAt: number }
  | {
      readonly kind: 'failed';
      readonly reason: StoreFailureReason;
      readonly message: string;
      readonly last?: ResolvedArtifact;
    };

/** A revision as kept in its ControllerRevision. */
export interface StoredRevision {
  readonly name: string;
  readonly variant: string;
  readonly number: number;
  readonly runtimeHash: string;
  readonly artifact: ResolvedArtifact;
  /** The rendered pod template: applied as it stands for as long as the revision lives. */
  readonly template: Readonly<Record<string, unknown>>;
}

export interface VariantObserved {
  readonly artifact: ArtifactState;
  readonly pods: readonly PodObserved[];
  readonly workload?: WorkloadObserved;
  /** Why Kubernetes does not start the pods (quota, image, scheduling), in its own words. */
  readonly problem?: string;
}

/** A router pod; `applied` is absent when it did not answer. */
export interface RouterPodObserved {
  readonly name: string;
  readonly uid: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly applied?: Applied;
  /** For how long it has not answered, and whether this process has heard of it before. Absent: it answers, or has no address yet. */
  readonly silence?: { readonly ms: number; readonly hasAnswered: boolean };
}

export interface RouterObserved {
  readonly table?: RouterTable;
  readonly pods: readonly RouterPodObserved[];
  /** Pods replaced for their silence since all of them last answered; absent: none. */
  readonly replaced?: number;
  /** For how long confirmation of the table has been waited for; absent: it has not. */
  readonly waitedMs?: number;
}

/** Where the stable Service sends its traffic at present. */
export type ServiceTarget = { readonly kind: 'router' } | { readonly kind: 'variant'; readonly variant: string };

/** The API server will not have a child: its name is somebody else's, a quota is used up, an admission policy says no. */
export interface Obstacle {
  readonly reason: 'NameConflict' | 'QuotaExceeded' | 'ApplyRefused';
  readonly message: string;
}

export interface Observed {
  readonly variants: ReadonlyMap<string, VariantObserved>;
  /** Ready pods of variants that the spec no longer has, by variant. */
  readonly leaving: ReadonlyMap<string, number>;
  readonly revisions: ReadonlyMap<string, StoredRevision>;
  readonly router: RouterObserved;
  readonly service?: ServiceTarget;
  /** No pod has connections any more from before the Service pointed at routers. */
  readonly drained: boolean;
  /** Token in the admin Secret; undefined: there is no such Secret yet. */
  readonly adminToken: string | undefined;
  /** What kept the last apply from making the children. */
  readonly obstacles: readonly Obstacle[];
}
