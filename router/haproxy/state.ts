// All that the running HAProxy holds, in one read.
import type { Actual } from '../desired.ts';
import { NOTHING } from '../desired.ts';
import { mapsOf } from './config.ts';
import type { MapName, RouterSettings } from './config.ts';
import { readMap } from './maps.ts';
import type { MapEntries } from './maps.ts';
import { readServers } from './servers.ts';
import type { CommandLine } from './socket.ts';

/** @throws SocketError when HAProxy does not answer, CommandError when it has another configuration than ours. */
export async function readActual(
  commandLine: CommandLine,
  settings: RouterSettings,
  signal: AbortSignal,
): Promise<Actual> {
  const maps: Record<MapName, MapEntries> = { ...NOTHING.maps };
  for (const map of mapsOf(settings)) maps[map] = await readMap(commandLine, settings.directory, map, signal);
  return { servers: await readServers(commandLine, signal), maps };
}
