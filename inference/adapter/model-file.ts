// The file that the other container reads: replaced whole, by rename, so that whoever opens it gets one version or the other, and readable by any user.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LoadError } from '../errors.ts';
import { isArchive } from '../model/package.ts';
import { extractModel } from './archive.ts';
import type { ArtifactFile } from './archive.ts';

const READABLE_BY_ALL = 0o644;

export class ModelFile {
  readonly #path: string;
  readonly #maxBytes: number;

  /** `maxBytes` bounds a model that is taken out of an archive. */
  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  get #folder(): string {
    return dirname(this.#path);
  }

  /** Makes the folder and removes what a killed process left half written. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const name of await readdir(this.#folder)) {
      if (isPart(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  async exists(): Promise<boolean> {
    const found = await stat(this.#path).catch(() => undefined);
    return found !== undefined;
  }

  /** Puts an artifact in its place. Throws LoadError: ArtifactInvalid when it is not what this path holds, DiskFull; or the reason of `signal`. */
  async replace(artifact: ArtifactFile, signal: AbortSignal): Promise<void> {
    const part = join(this.#folder, `.${randomUUID()}.part`);
    try {
      await this.#write(artifact, part, signal);
      await chmod(part, READABLE_BY_ALL);
      signal.throwIfAborted();
      await rename(part, this.#path);
    } finally {
      await rm(part, { force: true });
    }
  }

  async #write(artifact: ArtifactFile, part: string, signal: AbortSignal): Promise<void> {
    const wanted = basename(this.#path);
    const isPacked = await isArchive(artifact.key, artifact.path);
    if (isArchiveName(wanted) && !isPacked) {
      throw new LoadError('ArtifactInvalid', `The server reads an archive (${wanted}), and this is a file alone`);
    }
    if (isArchiveName(wanted) || !isPacked) await copyFile(artifact.path, part, constants.COPYFILE_FICLONE);
    else await extractModel(artifact, { wanted, target: part, maxBytes: this.#maxBytes }, signal);
  }
}

function isArchiveName(name: string): boolean {
  return /\.(?:tar\.gz|tgz)$/i.test(name);
}

function isPart(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.part');
}
