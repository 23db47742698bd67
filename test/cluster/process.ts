// Long-running programs: started in a process group of their own, recorded on disk, stopped by process id and never by name.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseEnv } from './config.ts';

export interface DaemonSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** As kept in `RUN/processes/NAME.json`: enough for any later process to stop it, or to start it again as it was. */
export interface DaemonRecord extends DaemonSpec {
  readonly pid: number;
  /** Tells this process from a later one with the same number. */
  readonly identity: string;
}

/** Boot and start time of a running process, or undefined when there is none (a zombie counts as none). */
export async function identityOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const startTicks = parseStartTicks(stat);
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return startTicks === undefined ? undefined : `${boot.trim()}/${startTicks}`;
}

/** Field 22 of /proc/PID/stat; the command's name in field 2 may itself contain blanks and parentheses. */
export function parseStartTicks(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

export function logPath(runDir: string, name: string): string {
  return join(runDir, 'log', `${name}.log`);
}

const recordPath = (runDir: string, name: string): string => join(runDir, 'processes', `${name}.json`);

/** Starts the program so that it outlives us; its output is appended to `RUN/log/NAME.log`. */
export async function startDaemon(runDir: string, spec: DaemonSpec): Promise<DaemonRecord> {
  await mkdir(join(runDir, 'log'), { recursive: true });
  await mkdir(join(runDir, 'processes'), { recursive: true });
  const log = openSync(logPath(runDir, spec.name), 'a');
  const child = spawn(spec.command, spec.args, {
    cwd: runDir,
    env: { ...baseEnv, ...spec.env },
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
  child.unref();
  const record = { ...spec, pid, identity: (await identityOf(pid)) ?? 'gone' };
  await writeFile(recordPath(runDir, spec.name), JSON.stringify(record, undefined, 2), { mode: 0o600 });
  return record;
}

export async function readDaemon(runDir: string, name: string): Promise<DaemonRecord | undefined> {
  const text = await readFile(recordPath(runDir, name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as DaemonRecord);
}

export async function listDaemons(runDir: string): Promise<DaemonRecord[]> {
  const files = await readdir(join(runDir, 'processes')).catch(() => []);
  const records = await Promise.all(files.map((file) => readDaemon(runDir, file.replace(/\.json$/, ''))));
  return records.filter((record) => record !== undefined);
}

export async function isAlive(record: Pick<DaemonRecord, 'pid' | 'identity'>): Promise<boolean> {
  return (await identityOf(record.pid)) === record.identity;
}

/** Asks the program and its group to end, and makes them after `graceMs`. */
export async function stopDaemon(record: DaemonRecord, graceMs = 10_000): Promise<void> {
  if (!(await isAlive(record))) return;
  signalGroup(record.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (await isAlive(record)) {
    if (performance.now() > deadline) signalGroup(record.pid, 'SIGKILL');
    await sleep(25);
  }
}

export async function forgetDaemon(runDir: string, name: string): Promise<void> {
  await rm(recordPath(runDir, name), { force: true });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in between.
  }
}

/** Process ids by their command line, for helpers that our programs have started by themselves and that name a path of ours. */
export async function findByArguments(matches: (args: readonly string[]) => boolean): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => matches((lines[index] ?? '').split('\0'))).map(Number);
}

export interface WaitOptions {
  /** What is waited for, for the message. */
  readonly what: string;
  readonly deadlineMs: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** A program whose end makes waiting pointless, and where its log is. */
  readonly daemon?: { readonly runDir: string; readonly record: DaemonRecord };
}

/** Asks until `condition` gives something other than undefined or false. Throws when the deadline is over or the program has ended. */
export async function waitFor<T>(condition: () => Promise<T | undefined | false>, options: WaitOptions): Promise<T> {
  const deadline = performance.now() + options.deadlineMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    const { daemon } = options;
    if (daemon !== undefined && !(await isAlive(daemon.record))) {
      throw new Error(
        `${daemon.record.name} ended while waiting for ${options.what}:\n${await logTail(daemon.runDir, daemon.record.name)}`,
      );
    }
    if (performance.now() > deadline) {
      const tail = daemon === undefined ? '' : `\n${await logTail(daemon.runDir, daemon.record.name)}`;
      throw new Error(`Waited ${String(options.deadlineMs / 1000)} s in vain for ${options.what}.${tail}`);
    }
    await sleep(options.intervalMs ?? 50, undefined, { signal: options.signal });
  }
}

/** The last lines of a program's log. */
async function logTail(runDir: string, name: string, lines = 15): Promise<string> {
  const path = logPath(runDir, name);
  const text = await readFile(path, 'utf8').catch(() => '');
  return `${path}:\n${text.trimEnd().split('\n').slice(-lines).join('\n')}`;
}
