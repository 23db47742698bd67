// One server under measurement: a process of its own, pinned to one core, with what it takes in memory and time.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseEnv } from '../cluster/config.ts';
import { SERVER_CORE } from './wrk.ts';

const START_MS = 90_000;
const STOP_MS = 10_000;
const ATTEMPT_MS = 2_000;
const KEPT_BYTES = 4_000;
/** A second of processor time in /proc. */
const TICKS = 100;

export interface ServerCommand {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  /** As taskset has them; default: one core. */
  readonly cores?: string;
  /** Where the measured requests go. */
  readonly url: string;
}

export class ServerProcess {
  readonly name: string;
  readonly url: string;
  /** From the start of the process to the first answer to a measured request, in milliseconds. */
  readonly startMs: number;
  readonly #child: ChildProcess;

  private constructor(server: ServerCommand, child: ChildProcess, startMs: number) {
    this.name = server.name;
    this.url = server.url;
    this.startMs = startMs;
    this.#child = child;
  }

  /** Starts it and waits until it answers `body` with 200. Throws with the end of its output when it does not. */
  static async start(server: ServerCommand, body: string, signal?: AbortSignal): Promise<ServerProcess> {
    const [command, ...args] = server.command;
    const started = performance.now();
    const child = spawn('taskset', ['-c', server.cores ?? SERVER_CORE, command, ...args], {
      env: { ...baseEnv, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', ...server.env },
      ...(server.cwd !== undefined && { cwd: server.cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output = `${output}${text}`.slice(-KEPT_BYTES)));
    }
    child.on('error', (error) => (output += error.message));
    try {
      await firstAnswer(server.url, body, () => child.exitCode === null && child.pid !== undefined, signal);
      return new ServerProcess(server, child, performance.now() - started);
    } catch (cause) {
      killGroup(child, 'SIGKILL');
      throw new Error(`${server.name} did not start:\n${output}`, { cause });
    }
  }

  /** Resident memory of the process and its children, in MiB. */
  async residentMib(): Promise<number> {
    const pids = [this.#child.pid ?? 0, ...(await descendants(this.#child.pid ?? 0))];
    const sizes = await Promise.all(pids.map(async (pid) => residentKib(pid)));
    return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 102.4) / 10;
  }

  /** Processor time of the process, all of its threads together, in seconds. */
  async cpuSeconds(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid ?? 0}/stat`, 'utf8');
    const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
    return (user + system) / TICKS;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    killGroup(this.#child, 'SIGTERM');
    const timer = setTimeout(() => killGroup(this.#child, 'SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
    killGroup(this.#child, 'SIGKILL');
  }
}

async function firstAnswer(url: string, body: string, isAlive: () => boolean, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && isAlive()) {
    signal?.throwIfAborted();
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(ATTEMPT_MS),
    }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(5, undefined, { signal });
  }
  throw new Error(`no 200 from ${url}`);
}

function killGroup(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch {
    // It has ended.
  }
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  const below = await Promise.all(children.map(async (child) => descendants(child)));
  return [...children, ...below.flat()];
}

async function residentKib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
}
