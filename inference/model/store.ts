// Where artifacts come from, whatever kind of store it is: an S3 bucket, a file of this machine, or a sibling pod.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { LoadError, codeOf } from '../errors.ts';
import { save, tooLarge } from './download.ts';
import type { Limits, Saved } from './download.ts';

/** One version of an artifact, as exactly as the caller knows it. */
export interface Wanted {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly etag?: string | undefined;
  readonly sha256?: string | undefined;
  readonly size?: number | undefined;
}

/** One version, as the store named it. */
export interface Version {
  readonly key: string;
  readonly versionId?: string;
  readonly etag?: string;
}

export interface Fetched extends Version, Saved {}

export interface Store {
  /** What the key holds now; costs no download. Throws LoadError with a store reason. */
  look(key: string, signal: AbortSignal): Promise<Version>;
  /** Downloads exactly the wanted version to the file `path`. Throws LoadError: store reasons, ArtifactTooLarge, ChecksumMismatch. */
  fetch(wanted: Wanted, path: string, limits: Limits, signal: AbortSignal): Promise<Fetched>;
}

/** Read at once: each piece costs turns of the event loop. */
const PIECE_BYTES = 1024 * 1024;
const FILE_HINT = 'set MODEL_PATH, or AWS_REGION with MODEL_BUCKET and MODEL_KEY';

/** The one file `path` as a store: its only key is the path, and size and time of change stand for the ETag. */
export function fileStore(path: string): Store {
  async function look(key: string): Promise<Version> {
    if (key !== path) {
      throw new LoadError('InvalidRequest', `This server serves the file ${path} (MODEL_PATH) and no other`);
    }
    const found = await stat(path).catch((error: unknown) => {
      throw fileError(path, error);
    });
    if (!found.isFile()) throw new LoadError('NoSuchKey', `${path} is not a file: ${FILE_HINT}`);
    const { mtimeMs, size } = found;
    return { key, etag: `${size}-${mtimeMs}` };
  }
  async function fetch(wanted: Wanted, target: string, limits: Limits, signal: AbortSignal): Promise<Fetched> {
    const version = await look(wanted.key);
    if (wanted.etag !== undefined && wanted.etag !== version.etag) {
      throw new LoadError('ObjectChanged', `${path} has changed since it was asked for`);
    }
    if (Number(version.etag?.split('-')[0]) > limits.maxBytes) throw tooLarge(limits.maxBytes);
    const saved = await save(createReadStream(path, { highWaterMark: PIECE_BYTES }), target, limits, signal);
    const after = await look(wanted.key);
    if (after.etag !== version.etag) {
      throw new LoadError('ObjectChanged', `${path} changed while it was read: replace it by rename`);
    }
    return { ...version, ...saved };
  }
  return { look, fetch };
}

function fileError(path: string, error: unknown): LoadError {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new LoadError('NoSuchKey', `There is no file ${path}: ${FILE_HINT}`, { cause: error });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new LoadError('AccessDenied', `The file ${path} may not be read by this user`, { cause: error });
  }
  return new LoadError('StoreUnreachable', `The file ${path} cannot be read (${code ?? 'unknown'})`, { cause: error });
}
