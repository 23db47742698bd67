// Runs short commands with a deadline, and keeps what they say when they fail.
import { spawn, type SpawnOptions } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { baseEnv, commandPath } from './config.ts';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** For standard input. */
  readonly input?: string | Buffer;
  readonly signal?: AbortSignal | undefined;
  /** Default 60 s. */
  readonly timeoutMs?: number;
  /** Called with each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
}

/** A command ended with another status than 0. The message holds the end of what it said. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly status: number | undefined;

  constructor(command: string, status: number | undefined, stderr: string, options?: ErrorOptions) {
    super(`${command}: ${status === undefined ? 'was stopped' : `exit status ${String(status)}`}\n${stderr}`, options);
    this.status = status;
  }
}

const KEPT_BYTES = 3_000;

/** Ends with the command's standard output. Throws {@link CommandFailed}; kills the command at the deadline. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 60_000);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const spawnOptions: SpawnOptions = { env: { ...baseEnv, ...options.env }, signal, killSignal: 'SIGKILL' };
  if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
  const child = spawn(command, args, { ...spawnOptions, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr = `${stderr}${line}\n`.slice(-KEPT_BYTES);
    options.onErrorLine?.(line);
  });
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const shown = [command, ...args].join(' ').slice(0, 200);
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new CommandFailed(shown, undefined, stderr || cause.message, { cause })));
    child.on('close', (status) => {
      if (status === 0) resolve(stdout);
      else reject(new CommandFailed(shown, status ?? undefined, stderr));
    });
  });
}

/** Like {@link run}, for clean-ups: what is not there need not be removed. Says whether it worked. */
export async function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  return run(command, args, options).then(
    () => true,
    () => false,
  );
}

/** Path of a command, or undefined. */
export async function findCommand(name: string, path: string = commandPath): Promise<string | undefined> {
  for (const dir of path.split(':')) {
    const candidate = join(dir, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
