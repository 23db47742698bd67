// The artifact file: model.tar.gz with one model and its metadata.json, or a model file alone. Nothing is unpacked by path, so no name in an archive
// can reach the file system; size, kind and number of entries are bounded while the bytes stream.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import tar from 'tar-stream';
import type { Header } from 'tar-stream';
import { LoadError } from '../load-error.ts';

export interface Unpacked {
  /** Base name of the model file; its ending tells the format. */
  readonly fileName: string;
  readonly model: Buffer;
  /** Content of metadata.json, where there is one. */
  readonly metadata?: Buffer;
}

export const METADATA = 'metadata.json';
export const MODEL_FILES = [
  'model.joblib',
  'model.pkl',
  'model.json',
  'model.ubj',
  'model.bst',
  'model.txt',
  'model.onnx',
];
const MAX_METADATA_BYTES = 4 * 1024 * 1024;
const TAR_BLOCK = 512;

/**
 * Reads the artifact `path`, which was called `key` in its store. `maxBytes` bounds the model after decompression.
 * Throws LoadError: ArtifactInvalid, ArtifactTooLarge.
 */
export async function unpack(key: string, path: string, maxBytes: number): Promise<Unpacked> {
  if (await isArchive(key, path)) return unpackArchive(path, maxBytes);
  const { size } = await sizeOf(path);
  if (size > maxBytes) throw tooLarge(basename(key), maxBytes);
  return { fileName: basename(key), model: await collect(createReadStream(path), basename(key), maxBytes) };
}

async function sizeOf(path: string): Promise<{ readonly size: number }> {
  const file = await open(path);
  try {
    return await file.stat();
  } finally {
    await file.close();
  }
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

async function unpackArchive(path: string, maxBytes: number): Promise<Unpacked> {
  const extract = tar.extract();
  const unzipped = pipeline(createReadStream(path), createGunzip(), extract);
  // Awaited below; until then a failure must not count as unhandled.
  unzipped.catch(() => undefined);
  const files = new Map<string, Buffer>();
  try {
    for await (const entry of extract) {
      const name = acceptedName(entry.header, files);
      if (name === undefined) entry.resume();
      else files.set(name, await collect(entry, name, name === METADATA ? MAX_METADATA_BYTES : maxBytes));
    }
    await unzipped;
  } catch (error) {
    extract.destroy();
    if (error instanceof LoadError) throw error;
    throw invalid(`the archive is damaged (${error instanceof Error ? error.message : 'unknown'})`, error);
  }
  return contentOf(files);
}

/** The name under which an entry is kept; undefined for the directory that `tar -C dir .` writes. Throws for everything unexpected. */
function acceptedName({ name, type, size }: Header, files: ReadonlyMap<string, Buffer>): string | undefined {
  const plain = name.replace(/^\.\//, '');
  if (type === 'directory' && (plain === '' || plain === '.')) return undefined;
  const shown = JSON.stringify(name.slice(0, 100));
  if (type !== 'file' && type !== 'contiguous-file') throw invalid(`entry ${shown} is a ${type}, not a file`);
  if (plain !== METADATA && !MODEL_FILES.includes(plain)) {
    throw invalid(`unexpected entry ${shown}: only ${MODEL_FILES.join(' or ')} and ${METADATA} may be in it`);
  }
  if (files.has(plain)) throw invalid(`entry ${shown} is in it twice`);
  if (plain === METADATA && size > MAX_METADATA_BYTES) throw tooLarge(METADATA, MAX_METADATA_BYTES);
  return plain;
}

function contentOf(files: ReadonlyMap<string, Buffer>): Unpacked {
  const models = [...files].filter(([name]) => name !== METADATA);
  const [first] = models;
  if (first === undefined) throw invalid(`it has no ${MODEL_FILES.join(' or ')}`);
  if (models.length > 1) throw invalid(`it has several models: ${models.map(([name]) => name).join(', ')}`);
  const metadata = files.get(METADATA);
  return { fileName: first[0], model: first[1], ...(metadata && { metadata }) };
}

/** The whole stream, while it stays within bounds: a bomb is noticed as it unfolds, whatever the header says. */
async function collect(stream: AsyncIterable<unknown>, name: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > maxBytes) throw tooLarge(name, maxBytes);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, size);
}

function tooLarge(name: string, maxBytes: number): LoadError {
  const hint = name === METADATA ? '' : ': raise MAX_MODEL_BYTES if it is meant to be so large';
  return new LoadError('ArtifactTooLarge', `${name} has more than ${maxBytes} bytes after decompression${hint}`);
}

function invalid(why: string, cause?: unknown): LoadError {
  return new LoadError('ArtifactInvalid', `The artifact is not usable: ${why}`, { cause });
}
