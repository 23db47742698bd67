// Servers of the running HAProxy: read, added, drained and removed by commands. Each step may be repeated: what is already done is no error.
import type { ActualServer, ServerStep } from '../server-plan.ts';
import { serverPath } from '../server-plan.ts';
import type { Server } from './config.ts';
import { CHECK, endpointOf } from './config.ts';
import { CommandError, run } from './socket.ts';
import type { CommandLine } from './socket.ts';

/** Bits of srv_admin_state (management guide, "show servers state"). */
const MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20;
const DRAIN = 0x08 | 0x10;

/** All servers of all slots with their state and their connections in use. @throws SocketError, CommandError */
export async function readServers(commandLine: CommandLine, signal: AbortSignal): Promise<ActualServer[]> {
  const state = await run(commandLine, 'show servers state', signal, /^1\n#/);
  const connections = await run(commandLine, 'show servers conn', signal, /^#/);
  return parseServers(state, connections);
}

/** The servers in the answers to `show servers state` (format version 1) and `show servers conn`. */
export function parseServers(state: string, connections: string): ActualServer[] {
  const inUse = new Map(rows(connections).map((row) => [row.get('bkname/svname'), Number(row.get('used_cur'))]));
  return rows(state).flatMap((row) => {
    const slot = /^slot(\d+)$/.exec(row.get('be_name') ?? '')?.[1];
    const name = row.get('srv_name');
    if (slot === undefined || name === undefined) return [];
    const admin = Number(row.get('srv_admin_state'));
    const server = { slot: Number(slot), name };
    return [
      {
        ...server,
        address: row.get('srv_addr') ?? '',
        port: Number(row.get('srv_port')),
        up: Number(row.get('srv_op_state')) > 0,
        mode: (admin & MAINTENANCE) > 0 ? 'maintenance' : (admin & DRAIN) > 0 ? 'drain' : 'ready',
        inUse: inUse.get(serverPath(server)) ?? 0,
      },
    ];
  });
}

/** Carries out one step. Returns false when HAProxy still has connections to a server that is to be removed: try again later. @throws SocketError, CommandError */
export async function applyStep(commandLine: CommandLine, step: ServerStep, signal: AbortSignal): Promise<boolean> {
  const path = serverPath(step.server);
  switch (step.kind) {
    case 'add':
      await add(commandLine, step.server, signal);
      return true;
    case 'resume':
      await run(commandLine, `enable health ${path}`, signal);
      await run(commandLine, `set server ${path} state ready`, signal);
      return true;
    case 'drain':
      await run(commandLine, `set server ${path} state drain`, signal);
      return true;
    case 'remove':
      return remove(commandLine, path, step.forced, signal);
  }
}

async function add(commandLine: CommandLine, server: Server, signal: AbortSignal): Promise<void> {
  const path = serverPath(server);
  await run(
    commandLine,
    `add server ${path} ${endpointOf(server)} ${CHECK}`,
    signal,
    /^(New server registered\.|Already exists .*)$/,
  );
  // It starts in maintenance and without checks; enabled it is up at once, and its first failed checks take it out.
  await run(commandLine, `enable health ${path}`, signal);
  await run(commandLine, `enable server ${path}`, signal);
}

async function remove(commandLine: CommandLine, path: string, forced: boolean, signal: AbortSignal): Promise<boolean> {
  await run(commandLine, `set server ${path} state maint`, signal);
  if (forced) await run(commandLine, `shutdown sessions server ${path}`, signal);
  try {
    await run(commandLine, `del server ${path}`, signal, /^(Server deleted\.|No such server\.)$/);
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.answer.includes('connection')) return false;
    throw error;
  }
}

/** Lines of a table whose header starts with `#`, as column → value. */
function rows(answer: string): Map<string, string>[] {
  const lines = answer.split('\n').filter((line) => line !== '');
  const header =
    lines
      .find((line) => line.startsWith('#'))
      ?.replace(/^#\s*/, '')
      .split(' ') ?? [];
  return lines
    .slice(lines.findIndex((line) => line.startsWith('#')) + 1)
    .map((line) => new Map(line.split(' ').map((value, index) => [header[index] ?? '', value])));
}
