// Load by wrk: each connection sends its next request when it has the answer, at once or after a pause. Pinned to the core that the servers do not have.
import * as z from 'zod';
import { findCommand, run } from '../cluster/command.ts';
import { isRoot } from '../cluster/config.ts';
import { MissingPart } from '../cluster/missing.ts';

export const SERVER_CORE = '0';
export const LOAD_CORE = '1';

const Result = z.object({
  requests: z.int(),
  seconds: z.number(),
  /** Milliseconds. */
  p50: z.number(),
  p99: z.number(),
  /** Connections refused or lost, and answers other than 2xx and 3xx. */
  failed: z.int(),
});
export type WrkResult = z.infer<typeof Result>;

export interface Load {
  readonly url: string;
  /** File of request bodies, one a line. */
  readonly bodies: string;
  readonly connections: number;
  readonly seconds: number;
  /** As taskset has them; default: the one that servers do not have. */
  readonly cores?: string;
  /** Milliseconds that a connection waits on average before its next request; default: none. */
  readonly pauseMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Installs wrk from Debian where it is missing and that is possible. Throws MissingPart. */
export async function ensureWrk(signal?: AbortSignal): Promise<void> {
  if ((await findCommand('wrk')) !== undefined) return;
  if (!isRoot || (await findCommand('apt-get')) === undefined) throw new MissingPart('wrk is missing: install it.');
  const options = { timeoutMs: 300_000, signal, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  await run('apt-get', ['update', '--quiet'], options);
  await run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', 'wrk'], options);
}

export async function load(order: Load): Promise<WrkResult> {
  const { url, bodies, connections, seconds, cores = LOAD_CORE, pauseMs = 0, signal } = order;
  const script = new URL('requests.lua', import.meta.url).pathname;
  const args = ['-c', cores, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url];
  const output = await run('taskset', [...args, '--', bodies, String(pauseMs)], {
    timeoutMs: (seconds + 30) * 1000,
    signal,
  });
  const [, json] = /^RESULT (.*)$/m.exec(output) ?? [];
  return Result.parse(JSON.parse(json ?? 'null'));
}
