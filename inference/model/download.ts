// Bytes from somewhere to a file, hashed on the way; bounded in size, and in the time that a source may stay silent.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { LoadError, codeOf, loadErrorOf } from '../errors.ts';

export interface Limits {
  readonly maxBytes: number;
  /** Longest silence of the source, in milliseconds. */
  readonly stallMs: number;
}

export interface Saved {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly size: number;
}

/**
 * Writes `source` to the new file `path`; each piece is written before the next is asked for. The stall clock starts at the call. Throws LoadError:
 * ArtifactTooLarge, StoreUnreachable (broken off, silent for too long), DiskFull; or the reason of `signal`.
 */
export async function save(
  source: AsyncIterable<Uint8Array>,
  path: string,
  { maxBytes, stallMs }: Limits,
  signal: AbortSignal,
): Promise<Saved> {
  const hash = createHash('sha256');
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallMs);
  let size = 0;
  async function* measured(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      timer.refresh();
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    await pipeline(source, measured, createWriteStream(path), {
      signal: AbortSignal.any([signal, stalled.signal]),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (stalled.signal.aborted) throw unreachable(`The store sent nothing for ${stallMs} ms`, error);
    throw downloadError(error);
  } finally {
    clearTimeout(timer);
  }
  return { sha256: hash.digest('hex'), size };
}

/** Calls with a signal that ends with `signal`, or when the call has taken `ms`; what the call answered goes on to follow `signal` alone. */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ms);
  try {
    return await call(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

export function tooLarge(maxBytes: number): LoadError {
  return new LoadError(
    'ArtifactTooLarge',
    `The artifact has more than ${maxBytes} bytes: raise MAX_ARTIFACT_BYTES if it is meant to be so large`,
  );
}

export function unreachable(message: string, cause: unknown): LoadError {
  return new LoadError('StoreUnreachable', message, { cause });
}

/** A stream that broke is the store's fault unless the disk says otherwise. */
function downloadError(error: unknown): LoadError {
  const known = loadErrorOf(error);
  if (known.reason !== 'InternalError') return known;
  const detail = codeOf(error) ?? known.message;
  return unreachable(`The download broke off (${detail})`, error);
}
