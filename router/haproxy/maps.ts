// Maps of the running HAProxy: read, and replaced as a whole in one transaction, so that no request sees half a table.
import { mapPath } from './config.ts';
import type { MapName } from './config.ts';
import { MAX_COMMAND_BYTES, run } from './socket.ts';
import type { CommandLine } from './socket.ts';

/** Lines of a map as key and value. The order counts for nothing: no two keys of ours overlap. */
export type MapEntries = readonly (readonly [key: string, value: string])[];

/** The text of a map file. */
export function mapText(entries: MapEntries): string {
  return entries.map(([key, value]) => `${key} ${value}\n`).join('');
}

/** Whether two maps say the same. */
export function isSameMap(a: MapEntries, b: MapEntries): boolean {
  return mapText(sorted(a)) === mapText(sorted(b));
}

/** The committed entries of a map. @throws CommandError when HAProxy does not know the map. */
export async function readMap(
  commandLine: CommandLine,
  directory: string,
  map: MapName,
  signal: AbortSignal,
): Promise<MapEntries> {
  // Every line is "0x<address> <key> <value>"; anything else is a complaint.
  const answer = await run(commandLine, `show map ${mapPath(directory, map)}`, signal, /^(0x[^\n]*(\n|$))*$/);
  return answer
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, key = '', ...value] = line.split(' ');
      return [key, value.join(' ')];
    });
}

/** Replaces all entries of a map at once. @throws CommandError when HAProxy refuses; the old entries then stay. */
export async function commitMap(
  commandLine: CommandLine,
  directory: string,
  map: MapName,
  entries: MapEntries,
  signal: AbortSignal,
): Promise<void> {
  const path = mapPath(directory, map);
  const prepared = await run(commandLine, `prepare map ${path}`, signal, /^New version created: \d+$/);
  const version = prepared.slice(prepared.lastIndexOf(' ') + 1);
  for (const payload of payloads(entries)) {
    await run(commandLine, `add map @${version} ${path} <<\n${payload}`, signal);
  }
  await run(commandLine, `commit map @${version} ${path}`, signal);
}

/** The text of a map in pieces that fit in one command each. */
export function payloads(entries: MapEntries, limit = MAX_COMMAND_BYTES - 1_000): string[] {
  const pieces: string[] = [];
  for (const entry of entries) {
    const line = mapText([entry]);
    const last = pieces.at(-1);
    if (last !== undefined && Buffer.byteLength(last) + Buffer.byteLength(line) <= limit) {
      pieces[pieces.length - 1] = last + line;
    } else pieces.push(line);
  }
  return pieces;
}

function sorted(entries: MapEntries): MapEntries {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
