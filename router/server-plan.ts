// Which servers to add to the running HAProxy, which to let go of, and how far each of those is. Pure: compares what should be with what is.
import type { Server } from './haproxy/config.ts';

/** A server as HAProxy reports it. */
export interface ActualServer extends Server {
  /** Takes requests if nobody forbids it: its last checks passed. */
  readonly up: boolean;
  readonly mode: 'ready' | 'drain' | 'maintenance';
  /** Connections in use: requests that wait for an answer. */
  readonly inUse: number;
}

export type ServerStep =
  /** add server, enable health, enable server */
  | { readonly kind: 'add'; readonly server: Server }
  /** Back from drain or maintenance. */
  | { readonly kind: 'resume'; readonly server: Server }
  | { readonly kind: 'drain'; readonly server: Server }
  /** `forced`: its deadline has passed, so the requests that it still has are ended. */
  | { readonly kind: 'remove'; readonly server: Server; readonly forced: boolean };

export interface ServerPlan {
  /** To be done before buckets move: capacity first. */
  readonly gains: readonly ServerStep[];
  /** To be done after buckets have moved away. */
  readonly losses: readonly ServerStep[];
}

/** `slot0/<uid>`: how HAProxy calls a server. */
export function serverPath({ slot, name }: Pick<Server, 'slot' | 'name'>): string {
  return `slot${slot}/${name}`;
}

/**
 * The steps from `actual` to `desired`. `drainedSince` tells by server path since when (monotonic ms) a server drains; a server leaves
 * when it has no request left, or when it has drained for `drainMs`. A name whose address changed is let go first and added when it is gone.
 */
export function planServers(
  desired: readonly Server[],
  actual: readonly ActualServer[],
  drains: { readonly since: ReadonlyMap<string, number>; readonly now: number; readonly drainMs: number },
): ServerPlan {
  const present = new Map(actual.map((server) => [serverPath(server), server]));
  const wanted = new Map(desired.map((server) => [serverPath(server), server]));
  const gains = desired.flatMap((server) => gainOf(server, present.get(serverPath(server))));
  const losses = actual
    .filter((server) => !isSameEndpoint(server, wanted.get(serverPath(server))))
    .flatMap((server) => lossOf(server, drains));
  return { gains, losses };
}

function gainOf(server: Server, present: ActualServer | undefined): ServerStep[] {
  if (present === undefined) return [{ kind: 'add', server }];
  if (!isSameEndpoint(server, present) || present.mode === 'ready') return [];
  return [{ kind: 'resume', server }];
}

function lossOf(
  server: ActualServer,
  { since, now, drainMs }: { since: ReadonlyMap<string, number>; now: number; drainMs: number },
): ServerStep[] {
  if (server.mode === 'ready') return [{ kind: 'drain', server }];
  if (server.inUse === 0) return [{ kind: 'remove', server, forced: false }];
  const overdue = now - (since.get(serverPath(server)) ?? now) >= drainMs;
  return overdue ? [{ kind: 'remove', server, forced: true }] : [];
}

function isSameEndpoint(a: Server, b: Server | undefined): boolean {
  return a.address === b?.address && a.port === b.port;
}
