// The artifacts on this machine's disk, one file for each content, named by its sha256: fetched once, verified, kept for rollback and for siblings.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LoadError, loadErrorOf } from '../errors.ts';
import type { FailureReason } from '../contract.ts';
import type { Limits, Saved } from './download.ts';
import type { Fetched, Store, Wanted } from './store.ts';

export interface ArtifactsOptions {
  readonly store: Store;
  readonly dir: string;
  readonly limits: Limits;
  readonly log: Logger;
  /** Asks the siblings for a content, when there are any. */
  readonly sibling?: (sha256: string, path: string, limits: Limits, signal: AbortSignal) => Promise<Saved>;
  /** Waits before the second and third attempt, in milliseconds. */
  readonly retryMs?: readonly number[];
}

export interface LocalArtifact extends Fetched {
  readonly path: string;
}

const HASH = /^[0-9a-f]{64}$/;
/** Reasons that mean "this store does not have it": another place may. */
const ELSEWHERE: readonly FailureReason[] = [
  'NoSuchKey',
  'NoSuchBucket',
  'AccessDenied',
  'ObjectChanged',
  'StoreUnreachable',
  'ChecksumMismatch',
];

export class Artifacts {
  readonly #options: ArtifactsOptions;

  constructor(options: ArtifactsOptions) {
    this.#options = options;
  }

  /** Makes the directory and removes what a killed process left half written. */
  async prepare(): Promise<void> {
    const { dir } = this.#options;
    await mkdir(dir, { recursive: true });
    for (const name of await readdir(dir)) {
      if (name.endsWith('.part')) await rm(join(dir, name), { force: true });
    }
  }

  /**
   * The wanted version as a verified file: from the disk, the store, or a sibling. Throws LoadError (all store reasons, ArtifactTooLarge,
   * ChecksumMismatch), or the reason of `signal`.
   */
  async obtain(wanted: Wanted, signal: AbortSignal): Promise<LocalArtifact> {
    const local = await this.#onDisk(wanted, signal);
    if (local !== undefined) return local;
    const part = join(this.#options.dir, `${randomUUID()}.part`);
    try {
      const fetched = await this.#fetch(wanted, part, signal);
      const path = this.#pathOf(fetched.sha256);
      await rename(part, path);
      return { ...fetched, path };
    } finally {
      await rm(part, { force: true });
    }
  }

  /** The file of a kept content and its size, or undefined. */
  async find(sha256: string): Promise<{ readonly path: string; readonly size: number } | undefined> {
    if (!HASH.test(sha256)) return undefined;
    const path = this.#pathOf(sha256);
    const found = await stat(path).catch(() => undefined);
    return found && { path, size: found.size };
  }

  /** Deletes the file of a content that was refused: nobody asks for it again. */
  async discard(sha256: string): Promise<void> {
    await rm(this.#pathOf(sha256), { force: true });
  }

  /** Deletes every content that is not in `hashes`. */
  async keepOnly(hashes: ReadonlySet<string>): Promise<void> {
    const { dir } = this.#options;
    for (const name of await readdir(dir)) {
      if (HASH.test(name) && !hashes.has(name)) await rm(join(dir, name), { force: true });
    }
  }

  async #fetch(wanted: Wanted, part: string, signal: AbortSignal): Promise<Fetched> {
    const { sibling, limits, log } = this.#options;
    try {
      return verified(await this.#fetchFromStore(wanted, part, signal), wanted);
    } catch (error) {
      const { sha256 } = wanted;
      if (!(error instanceof LoadError) || !ELSEWHERE.includes(error.reason)) throw error;
      if (sibling === undefined || sha256 === undefined) throw error;
      try {
        const saved = await sibling(sha256, part, limits, signal);
        log.info({ sha256, reason: error.reason }, 'took the artifact from a sibling');
        return verified({ ...versionOf(wanted), ...saved }, wanted);
      } catch (second) {
        signal.throwIfAborted();
        log.info({ sha256, detail: loadErrorOf(second).message }, 'no sibling has the artifact');
        throw error;
      }
    }
  }

  /** A bounded number of attempts, only for what a second attempt can mend. */
  async #fetchFromStore(wanted: Wanted, part: string, signal: AbortSignal): Promise<Fetched> {
    const { store, limits, log, retryMs = [300, 1500] } = this.#options;
    for (const wait of retryMs) {
      try {
        return await store.fetch(wanted, part, limits, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (loadErrorOf(error).reason !== 'StoreUnreachable') throw error;
        log.warn(
          { detail: loadErrorOf(error).message, key: wanted.key, retryMs: wait },
          'download failed, trying again',
        );
        await sleep(wait * (0.75 + Math.random() / 2), undefined, { signal });
      }
    }
    return store.fetch(wanted, part, limits, signal);
  }

  async #onDisk(wanted: Wanted, signal: AbortSignal): Promise<LocalArtifact | undefined> {
    const { sha256 } = wanted;
    const found = sha256 === undefined ? undefined : await this.find(sha256);
    if (sha256 === undefined || found === undefined) return undefined;
    if ((await hashOf(found.path, signal)) === sha256) return { ...versionOf(wanted), ...found, sha256 };
    await rm(found.path, { force: true }); // damaged on disk: fetched again
    return undefined;
  }

  #pathOf(sha256: string): string {
    return join(this.#options.dir, sha256);
  }
}

function verified(fetched: Fetched, { sha256, key }: Wanted): Fetched {
  if (sha256 === undefined || sha256 === fetched.sha256) return fetched;
  throw new LoadError('ChecksumMismatch', `${key}: its bytes have sha256 ${fetched.sha256}, ${sha256} was asked for`);
}

function versionOf({ key, versionId, etag }: Wanted) {
  return { key, ...(versionId !== undefined && { versionId }), ...(etag !== undefined && { etag }) };
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
