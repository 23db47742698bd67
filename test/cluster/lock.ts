// A lock between processes that the kernel gives back when its holder dies, however it dies.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { baseEnv } from './config.ts';
import { MissingPart } from './missing.ts';
import type { OnProgress } from '../progress.ts';

export interface LockOptions {
  /** What the lock protects, for the progress display: `Waiting for another run that WHAT`. */
  readonly what: string;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export type Release = () => Promise<void>;

/**
 * Waits for the lock on `path` (a file, made when missing) and ends with the function that gives it back. flock(1) holds it in a child whose standard
 * input is ours: when this process dies, even by SIGKILL, the child sees the end of its input and goes.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Release> {
  await mkdir(dirname(path), { recursive: true });
  options.signal?.throwIfAborted();
  const child = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], {
    env: baseEnv,
    stdio: ['pipe', 'pipe', 'ignore'],
    // A Ctrl-C reaches the whole foreground group; the lock must outlive the clean-up that follows it.
    detached: true,
  });
  const gone = once(child, 'exit');
  const abort = (): void => void child.kill('SIGKILL');
  options.signal?.addEventListener('abort', abort, { once: true });
  const step = `Waiting for another run that ${options.what}`;
  const wait = announceWait(path, step, options.onProgress);
  try {
    await Promise.race([once(child.stdout, 'data'), rejectOnExit(gone, options.signal)]);
  } finally {
    wait.end();
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

/** Says after a moment that we wait, and for whom. */
function announceWait(path: string, step: string, onProgress: OnProgress): { readonly end: () => void } {
  let announced = false;
  const timer = setTimeout(() => {
    announced = true;
    onProgress({ step });
    void readFile(path, 'utf8').then(
      (pid) => announced && onProgress({ step, detail: `process ${pid}` }),
      () => undefined,
    );
  }, 500);
  const end = (): void => {
    clearTimeout(timer);
    if (announced) onProgress({ step, done: true });
    announced = false;
  };
  return { end };
}
