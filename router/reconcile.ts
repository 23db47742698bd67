// One pass: read what HAProxy holds, compare it with what it should hold, and give the commands that make up the difference, capacity first.
import type { Logger } from 'pino';
import type { Actual, DesiredServer, Known } from './desired.ts';
import { desiredMaps, desiredServers, emptySlots } from './desired.ts';
import type { RouterSettings } from './haproxy/config.ts';
import { mapsOf } from './haproxy/config.ts';
import type { StartFiles } from './haproxy/files.ts';
import { commitMap, isSameMap } from './haproxy/maps.ts';
import { applyStep, readServers } from './haproxy/servers.ts';
import { CommandError } from './haproxy/socket.ts';
import type { CommandLine } from './haproxy/socket.ts';
import { readActual } from './haproxy/state.ts';
import type { ActualServer, ServerStep } from './server-plan.ts';
import { planServers, serverPath } from './server-plan.ts';

export interface PassDeps {
  readonly commandLine: CommandLine;
  readonly settings: RouterSettings;
  readonly files: Pick<StartFiles, 'write'>;
  readonly log: Logger;
  /** Monotonic ms. */
  readonly now: () => number;
  /** How long a server that leaves may finish its requests. */
  readonly drainMs: number;
  /** By server path: since when it drains. Kept between passes, written by them. */
  readonly drains: Map<string, number>;
}

export interface PassResult {
  /** What HAProxy holds after the pass; servers as they were before those that leave were told to. */
  readonly actual: Actual;
  /** Slots with buckets of their own and ready pods, of which none takes requests. */
  readonly unfilled: readonly number[];
  readonly commits: number;
  /** Steps that HAProxy refused; the next pass tries them again. */
  readonly refused: number;
}

/** @throws SocketError when HAProxy does not answer, CommandError when it refuses a map. */
export async function reconcile(deps: PassDeps, known: Known, signal: AbortSignal): Promise<PassResult> {
  const before = await readActual(deps.commandLine, deps.settings, signal);
  const desired = desiredServers(known, before);
  const { since, now } = { since: trackDrains(deps, before.servers), now: deps.now() };
  const plan = planServers(desired, before.servers, { since, now, drainMs: deps.drainMs });

  const added = await applySteps(deps, plan.gains, signal);
  const servers = plan.gains.length > 0 ? await readServers(deps.commandLine, signal) : before.servers;
  const empty = emptySlots(known, desired, servers);
  const maps = desiredMaps(known, empty, { ...before, servers });
  await deps.files.write(desired, maps, signal);
  const commits = await commitMaps(deps, before, maps, signal);
  const removed = await applySteps(deps, plan.losses, signal);

  const actual = { servers, maps };
  return { actual, unfilled: unfilledOf(known, desired, empty), commits, refused: added + removed };
}

/** Remembers when each server was first seen draining, and forgets those that do not. */
function trackDrains({ drains, now }: PassDeps, servers: readonly ActualServer[]): ReadonlyMap<string, number> {
  const draining = new Set(servers.filter(({ mode }) => mode !== 'ready').map(serverPath));
  for (const path of drains.keys()) if (!draining.has(path)) drains.delete(path);
  for (const path of draining) if (!drains.has(path)) drains.set(path, now());
  return drains;
}

async function applySteps(deps: PassDeps, steps: readonly ServerStep[], signal: AbortSignal): Promise<number> {
  let refused = 0;
  for (const step of steps) {
    const fields = { step: step.kind, server: serverPath(step.server), address: step.server.address };
    try {
      const done = await applyStep(deps.commandLine, step, signal);
      if (done) deps.log.info(fields, 'server changed');
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      deps.log.warn({ ...fields, err: error }, 'HAProxy refused a server command');
      refused += 1;
    }
  }
  return refused;
}

async function commitMaps(deps: PassDeps, before: Actual, maps: Actual['maps'], signal: AbortSignal): Promise<number> {
  const { commandLine, settings, log } = deps;
  const changed = mapsOf(settings).filter((map) => !isSameMap(before.maps[map], maps[map]));
  for (const map of changed) await commitMap(commandLine, settings.directory, map, maps[map], signal);
  if (changed.length > 0) log.info({ maps: changed, table: Object.fromEntries(maps.table) }, 'maps committed');
  return changed.length;
}

function unfilledOf(
  { table }: Known,
  desired: readonly DesiredServer[],
  empty: ReadonlySet<number>,
): readonly number[] {
  const withPods = new Set(desired.filter(({ lastResort }) => !lastResort).map(({ slot }) => slot));
  const withBuckets = new Set(table.ranges.map(({ slot }) => slot));
  return [...empty].filter((slot) => withPods.has(slot) && withBuckets.has(slot));
}
