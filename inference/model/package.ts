// The artifact file: model.tar.gz with one model and its metadata.json, or a model file alone. Nothing is unpacked by path, so no name in an archive
// can reach the file system; size, kind and number of entries are bounded before their bytes are kept.
import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import tar from 'tar-stream';
import type { Header } from 'tar-stream';
import { LoadError, codeOf } from '../load-error.ts';
import { METADATA, MODEL_FILES } from './artifact-names.ts';
import { type Memory, checkMemory, insufficientMemory, largestIn } from './memory.ts';
import { WHOLE_BYTES, unzip } from './unzip.ts';

export interface Unpacked {
  /** Base name of the model file; its ending tells the format. */
  readonly fileName: string;
  /** Its buffer may hold the metadata too, and nothing else that is in use. */
  readonly model: Buffer<ArrayBuffer>;
  /** Content of metadata.json, where there is one. */
  readonly metadata?: Buffer;
}

export interface UnpackLimits {
  /** Of the model, after decompression. */
  readonly maxBytes: number;
  /** In which what is read has to fit; absent: that is not known. */
  readonly memory?: Memory | undefined;
}

const MAX_METADATA_BYTES = 4 * 1024 * 1024;
const TAR_BLOCK = 512;
/** Headers, padding and what else an archive has around its files. */
const AROUND_BYTES = 1024 * 1024;
const PIECE_BYTES = 512 * 1024;

/**
 * Reads the artifact `path`, which was called `key` in its store. Throws LoadError: ArtifactInvalid, ArtifactTooLarge, InsufficientMemory.
 */
export async function unpack(key: string, path: string, limits: UnpackLimits): Promise<Unpacked> {
  if (await isArchive(key, path)) return unpackArchive(path, limits);
  const fileName = basename(key);
  const { size } = await stat(path);
  checkMemory(fileName, size, limits.memory);
  if (size > limits.maxBytes) throw tooLarge(fileName, limits.maxBytes);
  // at once: this thread has nothing else to do, and pieces would be copied
  if (size <= WHOLE_BYTES) return { fileName, model: readFileSync(path) };
  const pieces = createReadStream(path, { highWaterMark: PIECE_BYTES });
  return { fileName, model: await contentOf(pieces, size) };
}

/** By name, else by content: joblib may write gzip files too, so gzip alone says nothing. */
export async function isArchive(key: string, path: string): Promise<boolean> {
  if (/\.(?:tar\.gz|tgz)$/i.test(key)) return true;
  if (/\.(?:joblib|pkl|pickle)$/i.test(key)) return false;
  return (await firstBlock(path)).toString('latin1', 257, 262) === 'ustar';
}

async function firstBlock(path: string): Promise<Buffer> {
  const gunzip = createGunzip();
  const source = createReadStream(path, { end: 65_535 });
  source.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  let block = Buffer.alloc(0);
  try {
    for await (const chunk of gunzip) {
      block = Buffer.concat([block, chunk as Buffer]);
      if (block.length >= TAR_BLOCK) break;
    }
  } catch {
    // Not gzip, or cut: no archive.
  } finally {
    source.destroy();
    gunzip.destroy();
  }
  return block;
}

async function unpackArchive(path: string, { maxBytes, memory }: UnpackLimits): Promise<Unpacked> {
  const extract = tar.extract();
  const most = Math.min(maxBytes, largestIn('', memory));
  const unzipped = pipeline(unzip(path, most + MAX_METADATA_BYTES + AROUND_BYTES), extract);
  // Awaited below; until then a failure must not count as unhandled.
  unzipped.catch(() => undefined);
  const files = new Map<string, Buffer<ArrayBuffer>>();
  try {
    for await (const entry of extract) {
      const name = acceptedName(entry.header, files);
      if (name !== undefined && name !== METADATA) checkMemory(name, entry.header.size, memory);
      if (name === undefined) {
        entry.resume();
        continue;
      }
      if (entry.header.size > mostOf(name, maxBytes)) throw tooLarge(name, mostOf(name, maxBytes));
      files.set(name, await contentOf(entry, entry.header.size));
    }
    await unzipped;
  } catch (error) {
    extract.destroy();
    if (error instanceof LoadError) throw error;
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw beyond('The archive', most, { maxBytes, memory });
    throw invalid(`the archive is damaged (${error instanceof Error ? error.message : 'unknown'})`, error);
  }
  return unpacked(files);
}

function mostOf(name: string, maxBytes: number): number {
  return name === METADATA ? MAX_METADATA_BYTES : maxBytes;
}

/** The name under which an entry is kept; undefined for the directory that `tar -C dir .` writes. Throws for everything unexpected. */
function acceptedName({ name, type }: Header, files: ReadonlyMap<string, Buffer<ArrayBuffer>>): string | undefined {
  const plain = name.replace(/^\.\//, '');
  if (type === 'directory' && (plain === '' || plain === '.')) return undefined;
  const shown = JSON.stringify(name.slice(0, 100));
  if (type !== 'file' && type !== 'contiguous-file') throw invalid(`entry ${shown} is a ${type}, not a file`);
  if (plain !== METADATA && !MODEL_FILES.includes(plain)) {
    throw invalid(`unexpected entry ${shown}: only ${MODEL_FILES.join(' or ')} and ${METADATA} may be in it`);
  }
  if (files.has(plain)) throw invalid(`entry ${shown} is in it twice`);
  return plain;
}

function unpacked(files: ReadonlyMap<string, Buffer<ArrayBuffer>>): Unpacked {
  const models = [...files].filter(([name]) => name !== METADATA);
  const [first] = models;
  if (first === undefined) throw invalid(`it has no ${MODEL_FILES.join(' or ')}`);
  if (models.length > 1) throw invalid(`it has several models: ${models.map(([name]) => name).join(', ')}`);
  const metadata = files.get(METADATA);
  return { fileName: first[0], model: first[1], ...(metadata && { metadata }) };
}

/** All bytes of a stream, of which there are `size`: as they are when they come in one piece, and without room for a second copy otherwise. */
async function contentOf(pieces: AsyncIterable<unknown>, size: number): Promise<Buffer<ArrayBuffer>> {
  let content: Buffer<ArrayBuffer> | undefined;
  let filled = 0;
  for await (const piece of pieces as AsyncIterable<Buffer<ArrayBuffer>>) {
    content ??= piece.length === size ? piece : Buffer.allocUnsafeSlow(size);
    filled += content === piece ? size : piece.copy(content, filled);
  }
  return content?.subarray(0, filled) ?? Buffer.alloc(0);
}

/** Too large for the memory where that is what bounds it, else for the setting. */
function beyond(name: string, most: number, { maxBytes, memory }: UnpackLimits): LoadError {
  if (memory === undefined || most >= maxBytes) return tooLarge(name, maxBytes);
  return insufficientMemory(name, most + 1, memory);
}

function tooLarge(name: string, maxBytes: number): LoadError {
  const hint = name === METADATA ? '' : ': raise MAX_MODEL_BYTES if it is meant to be so large';
  return new LoadError('ArtifactTooLarge', `${name} has more than ${maxBytes} bytes after decompression${hint}`);
}

function invalid(why: string, cause?: unknown): LoadError {
  return new LoadError('ArtifactInvalid', `The artifact is not usable: ${why}`, { cause });
}
