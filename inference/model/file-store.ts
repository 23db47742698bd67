// The one file or directory of this machine that MODEL_PATH names, as a store.
import { LoadError } from '../errors.ts';
import { save, tooLarge } from './download.ts';
import type { Limits } from './download.ts';
import { contentOf, localFiles } from './local-files.ts';
import type { LocalFiles } from './local-files.ts';
import type { Fetched, Store, Version, Wanted } from './store.ts';

/**
 * `path` as a store, whose only key is the path. Loose files of a directory are packed into an archive, so that whoever reads the artifact finds the
 * same form, under one SHA-256 for all of it. What the file system says of the files stands for the ETag.
 */
export function fileStore(path: string): Store {
  async function find(key: string): Promise<LocalFiles> {
    if (key !== path) {
      throw new LoadError('InvalidRequest', `This server serves what is at ${path} (MODEL_PATH) and nothing else`);
    }
    return localFiles(path);
  }

  async function look(key: string): Promise<Version> {
    const { etag } = await find(key);
    return { key, etag };
  }

  async function fetch(wanted: Wanted, target: string, limits: Limits, signal: AbortSignal): Promise<Fetched> {
    const { fileName, etag, files, isPacked } = await find(wanted.key);
    if (wanted.etag !== undefined && wanted.etag !== etag) {
      throw new LoadError('ObjectChanged', `${path} has changed since it was asked for`);
    }
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (size > limits.maxBytes) throw tooLarge(limits.maxBytes);
    const saved = await save(isPacked ? contentOf(files[0]) : await archiveOf(files), target, limits, signal);
    if ((await find(wanted.key)).etag !== etag) {
      throw new LoadError('ObjectChanged', `${path} changed while it was read: replace files by rename`);
    }
    return { key: path, etag, fileName, ...saved };
  }

  return { look, fetch };
}

/** Packing is loaded for the first directory of loose files. */
async function archiveOf(files: LocalFiles['files']): Promise<AsyncIterable<Uint8Array>> {
  const { packed } = await import('./pack.ts');
  return packed(files);
}
