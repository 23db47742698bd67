// What MODEL_PATH names now: a file, or a directory (a mounted volume) with an archive or with the loose files of one. Links inside a directory are
// followed, since Kubernetes swaps a volume's files by one (`..data`); a link that leads out of it is refused.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { LoadError, codeOf } from '../errors.ts';
import { METADATA, MODEL_FILES } from './artifact-names.ts';

const ARCHIVE = 'model.tar.gz';
/** Read at once, all into the same memory: each piece costs turns of the event loop, and new memory as much time as reading into it. */
const PIECE_BYTES = 1024 * 1024;

export interface LocalFile {
  /** Its name in the directory. */
  readonly name: string;
  /** Without links. */
  readonly path: string;
  readonly size: number;
  /** Differs once the file was written, or is another one. */
  readonly stamp: string;
}

export interface LocalFiles {
  /** Base name of the file, or of the archive that the directory holds or stands for. */
  readonly fileName: string;
  /** Differs once one of the files does. */
  readonly etag: string;
  /** The artifact is the one file as it stands. */
  readonly isPacked: boolean;
  /** The model first. */
  readonly files: readonly [LocalFile, ...LocalFile[]];
}

const HINT = 'set MODEL_PATH, AWS_REGION with MODEL_BUCKET and MODEL_KEY, or MODEL_STORE_URL with both';
const LEADS_NOWHERE = ['ENOENT', 'ENOTDIR', 'ELOOP'];
/** Most names of a directory that a message shows. */
const SHOWN = 5;

/** Looks, and reads nothing but names. Throws LoadError: NoSuchKey (also for a directory with no model or with several), AccessDenied, StoreUnreachable. */
export async function localFiles(path: string): Promise<LocalFiles> {
  try {
    const root = await realpath(path);
    const found = await stat(root);
    if (found.isFile()) return filesOf(true, [fileOf(basename(path), root, found)]);
    if (!found.isDirectory()) throw missing(`${path} is neither a file nor a directory: ${HINT}`);
    const [model, ...others] = chosen(path, await readdir(root));
    const first = await inside(path, root, model);
    const rest = await Promise.all(others.map((name) => inside(path, root, name)));
    return filesOf(model === ARCHIVE, [first, ...rest]);
  } catch (error) {
    throw fileError(path, error);
  }
}

/**
 * The bytes of a file, each piece valid until the next is asked for where it is larger than what a stream lets wait, and for good otherwise.
 * Throws LoadError ObjectChanged when it is not the one that was found any more.
 */
export async function* contentOf({ path, stamp }: LocalFile): AsyncGenerator<Uint8Array> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw fileError(path, error);
  });
  try {
    if (stampOf(path, await handle.stat()) !== stamp) {
      throw new LoadError('ObjectChanged', `${path} has changed since it was found`);
    }
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(piece);
      if (bytesRead === 0) return;
      const read = piece.subarray(0, bytesRead);
      yield bytesRead < PIECE_BYTES ? Buffer.from(read) : read;
    }
  } finally {
    await handle.close();
  }
}

/** The names to read, the model first. Which one is meant is never guessed. */
function chosen(path: string, names: readonly string[]): readonly [string, ...string[]] {
  const models = [ARCHIVE, ...MODEL_FILES].filter((name) => names.includes(name));
  const [model] = models;
  if (model === undefined) {
    const others = names.filter((name) => !name.startsWith('.')).sort();
    const has = others.length === 0 ? 'it is empty' : `it has ${shown(others)}`;
    throw missing(`There is no model in ${path} (${has}): put ${ARCHIVE} there, or one of ${MODEL_FILES.join(', ')}`);
  }
  if (models.length > 1) throw missing(`There is more than one model in ${path} (${shown(models)}): leave one`);
  if (!names.includes(METADATA)) return [model];
  if (model !== ARCHIVE) return [model, METADATA];
  throw missing(`${path} has ${ARCHIVE} and ${METADATA}: remove the latter, an archive brings its own`);
}

async function inside(path: string, root: string, name: string): Promise<LocalFile> {
  const target = await realpath(join(root, name)).catch((error: unknown) => {
    if (!LEADS_NOWHERE.includes(codeOf(error) ?? '')) throw error;
    throw missing(`${name} in ${path} is gone, or a link that leads nowhere: put the file itself there`);
  });
  const way = relative(root, target);
  // `..data/model.joblib` is a way inside.
  if (way === '..' || way.startsWith(`..${sep}`)) {
    throw new LoadError('AccessDenied', `${name} in ${path} is a link that leads out of it: put the file itself there`);
  }
  const found = await stat(target);
  if (!found.isFile()) throw missing(`${name} in ${path} is not a file`);
  return fileOf(name, target, found);
}

function fileOf(name: string, path: string, found: Stats): LocalFile {
  return { name, path, size: found.size, stamp: stampOf(path, found) };
}

function filesOf(isPacked: boolean, files: LocalFiles['files']): LocalFiles {
  const stamps = JSON.stringify(files.map((file) => [file.name, file.stamp]));
  const etag = createHash('sha256').update(stamps).digest('hex').slice(0, 32);
  return { fileName: isPacked ? files[0].name : ARCHIVE, etag, isPacked, files };
}

/** The time of change too: whoever unpacks or copies a file may set the time of writing to anything. */
function stampOf(path: string, { size, mtimeMs, ctimeMs }: Stats): string {
  return `${path} ${size} ${mtimeMs} ${ctimeMs}`;
}

function shown(names: readonly string[]): string {
  const first = names
    .slice(0, SHOWN)
    .map((name) => (/^[\w.-]{1,64}$/.test(name) ? name : JSON.stringify(name.slice(0, 64))));
  return [...first, ...(names.length > SHOWN ? [`${names.length - SHOWN} more`] : [])].join(', ');
}

function missing(message: string): LoadError {
  return new LoadError('NoSuchKey', message);
}

function fileError(path: string, error: unknown): LoadError {
  if (error instanceof LoadError) return error;
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new LoadError('NoSuchKey', `There is no file ${path}: ${HINT}`, { cause: error });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new LoadError('AccessDenied', `The file ${path} may not be read by this user`, { cause: error });
  }
  return new LoadError('StoreUnreachable', `The file ${path} cannot be read (${code ?? 'unknown'})`, { cause: error });
}
