// A lock between processes that the kernel gives back when its holder dies, however it dies.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { baseEnv } from './config.ts';
import { MissingPart } from './missing.ts';

export interface LockOptions {
  /** Called once when somebody else holds the lock, with the holder's process id. */
  readonly onWait?: (holder: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export type Release = () => Promise<void>;

/**
 * Waits for the lock on `path` (a file, made when missing) and ends with the function that gives it back. flock(1) holds it in a child whose standard
 * input is ours: when this process dies, even by SIGKILL, the child sees the end of its input and goes.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Release> {
  await mkdir(dirname(path), { recursive: true });
  const child = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], {
    env: baseEnv,
    stdio: ['pipe', 'pipe', 'ignore'],
    // A Ctrl-C reaches the whole foreground group; the lock must outlive the clean-up that follows it.
    detached: true,
  });
  const gone = once(child, 'exit');
  const abort = (): void => void child.kill('SIGKILL');
  options.signal?.addEventListener('abort', abort, { once: true });
  const notice = setTimeout(() => void readHolder(path).then(options.onWait), 500);
  try {
    await Promise.race([once(child.stdout, 'data'), rejectOnExit(gone, options.signal)]);
  } finally {
    clearTimeout(notice);
    options.signal?.removeEventListener('abort', abort);
  }
  await writeFile(path, String(process.pid));
  return async () => {
    child.stdin.end();
    await gone;
  };
}

/** Runs `work` while the lock is held. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const release = await acquireLock(path, options);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function rejectOnExit(gone: Promise<unknown>, signal: AbortSignal | undefined): Promise<never> {
  await gone.catch((cause: unknown) => {
    throw new MissingPart('The command flock is missing (Debian package util-linux).', { cause });
  });
  signal?.throwIfAborted();
  throw new Error('The lock was lost: flock ended by itself.');
}

async function readHolder(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => 'unknown');
}
