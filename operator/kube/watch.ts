// List and watch as an async generator: a whole snapshot after each (re)list, then single changes. Never throws but for abort.
import type { Clock } from '../runtime/clock.ts';
import type { KubeClient } from './client.ts';
import type { KubeError } from './errors.ts';
import type { StoredObject } from './objects.ts';
import type { ResourceType } from './resources.ts';

export type WatchEvent =
  /** Everything there is now: what is not in it does not exist. */
  | { readonly kind: 'synced'; readonly objects: readonly StoredObject[]; readonly resourceVersion: string }
  /** Added or modified. */
  | { readonly kind: 'changed'; readonly object: StoredObject }
  | { readonly kind: 'deleted'; readonly object: StoredObject };

export interface WatchOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly type: ResourceType;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects a page. Default 500. */
  readonly pageLimit?: number;
  /** A stream that is silent for so long is taken for dead and opened anew from the last resourceVersion. Default 40 s. */
  readonly idleMs?: number;
  /** Called for each failure that leads to a reconnect or a relist; nothing else is reported of it. */
  readonly onFailure?: (error: KubeError) => void;
  readonly health?: WatchHealth;
  readonly signal: AbortSignal;
}

/** What a watch tells of itself, for readiness and metrics. */
export interface WatchHealth {
  lists: number;
  /** Streams opened after the first. */
  restarts: number;
  /** `monotonic()` since when there is neither a stream nor a successful list; undefined while it is alive. */
  deadSince: number | undefined;
}
