// A program in a process of its own, and what it has said.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { baseEnv } from '../cluster/config.ts';

const STOP_MS = 10_000;
const KEPT = 20_000;

export interface Child {
  /** undefined: it could not be started. */
  readonly pid: number | undefined;
  /** The end of what it has said. */
  output(): string;
  /** Ends by SIGTERM, or by SIGKILL when that takes too long; resolves when it is gone. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface ChildOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export function startChild(command: string, args: readonly string[], { env, cwd }: ChildOptions): Child {
  const child = spawn(command, args, {
    env: { ...baseEnv, ...env },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own: servers start others
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-KEPT)));
  }
  child.on('error', (error) => (said += error.message));
  const signalGroup = (name: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name);
  };
  return {
    pid: child.pid,
    output: () => said,
    async stop(signal = 'SIGTERM') {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      signalGroup(signal);
      const timer = setTimeout(() => signalGroup('SIGKILL'), STOP_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}
