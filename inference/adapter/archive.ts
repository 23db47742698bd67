// What an artifact is checked for before another program gets it. That program may unpack it by path, so no name in it may lead anywhere; its models may be
// of any library, so their names are free. Everything streams: no more than metadata.json is held in memory.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import tar from 'tar-stream';
import type { Header } from 'tar-stream';
import { LoadError, loadErrorOf } from '../errors.ts';
import { parseForeignManifest, parseManifest } from '../model/manifest.ts';
import type { Manifest } from '../model/manifest.ts';
import { isArchive } from '../model/package.ts';

export interface ArtifactFile {
  /** Name in the store. */
  readonly key: string;
  readonly path: string;
}

export interface ArchiveLimits {
  /** Of all its files together, unpacked. */
  readonly maxBytes: number;
}

/** One file of an archive, as a stream that has to be read to its end. */
type Content = AsyncIterable<unknown> & { resume(): unknown };

const METADATA = 'metadata.json';
const MAX_METADATA_BYTES = 4 * 1024 * 1024;
const MAX_ENTRIES = 1024;
const MAX_NAME = 512;

export interface Inspected {
  readonly manifest: Manifest;
  /** The version that metadata.json names itself; undefined where only the default holds. */
  readonly version: string | undefined;
}

/** Checks an artifact and reads its metadata.json. Throws LoadError: ArtifactInvalid, ArtifactTooLarge, ChecksumMismatch; or the reason of `signal`. */
export async function inspect(file: ArtifactFile, limits: ArchiveLimits, signal: AbortSignal): Promise<Inspected> {
  const bare = { manifest: parseManifest(undefined), version: undefined };
  if (!(await isArchive(file.key, file.path))) return bare;
  const hashes = new Map<string, string>();
  let metadata: Buffer | undefined;
  await walk(file.path, limits, signal, async (name, content) => {
    if (name === METADATA) metadata = await collect(content);
    else hashes.set(name, await hashOf(content));
  });
  if (hashes.size === 0) throw invalid('it has no model');
  const inspected = metadata === undefined ? bare : parseForeignManifest(metadata);
  checkHash(inspected.manifest, hashes);
  return inspected;
}

/**
 * Writes the model file of an artifact to `target`, which must not exist: of an archive the file called `wanted`, or else the only one beside
 * metadata.json. Throws LoadError as `inspect`, and for an archive that has no such file; or the reason of `signal`.
 */
export async function extractModel(
  file: ArtifactFile,
  { wanted, target, ...limits }: ArchiveLimits & { readonly wanted: string; readonly target: string },
  signal: AbortSignal,
): Promise<void> {
  const name = await modelNameOf(file, wanted, limits, signal);
  await walk(file.path, limits, signal, async (found, content) => {
    if (found === name) await pipeline(content, createWriteStream(target, { flags: 'wx' }), { signal });
    else content.resume();
  });
}

async function modelNameOf(file: ArtifactFile, wanted: string, limits: ArchiveLimits, signal: AbortSignal) {
  const names: string[] = [];
  await walk(file.path, limits, signal, (name, content) => {
    if (name !== METADATA) names.push(name);
    content.resume();
    return Promise.resolve();
  });
  const [first] = names;
  const name = names.includes(wanted) || names.length > 1 ? wanted : first;
  if (name !== undefined && names.includes(name)) return name;
  throw invalid(`the server reads ${wanted}, and the archive has ${names.slice(0, 5).join(', ') || 'no model'}`);
}

/** Gives every file of an archive to `onFile`. */
async function walk(
  path: string,
  { maxBytes }: ArchiveLimits,
  signal: AbortSignal,
  onFile: (name: string, content: Content) => Promise<void>,
): Promise<void> {
  const extract = tar.extract();
  const unzipped = pipeline(createReadStream(path), createGunzip(), bounded(maxBytes), extract, { signal });
  // Awaited below; until then a failure must not count as unhandled.
  unzipped.catch(() => undefined);
  const names = new Set<string>();
  try {
    for await (const entry of extract) {
      const name = acceptedName(entry.header, names);
      if (name === undefined) entry.resume();
      else await onFile(name, entry);
    }
    await unzipped;
  } catch (error) {
    extract.destroy();
    signal.throwIfAborted();
    throw archiveError(error);
  }
}

/** Cuts a bomb off as it unfolds, whatever the headers say. Headers and padding count too: 1 KiB an entry at most. */
function bounded(maxBytes: number) {
  const limit = maxBytes + MAX_ENTRIES * 1024 + MAX_METADATA_BYTES;
  return async function* (chunks: AsyncIterable<Buffer>) {
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > limit) throw tooLarge(`more than ${maxBytes} bytes after decompression: raise MAX_MODEL_BYTES`);
      yield chunk;
    }
  };
}

function archiveError(error: unknown): LoadError {
  const known = loadErrorOf(error);
  if (known.reason !== 'InternalError') return known;
  return invalid(`the archive is damaged (${known.message})`, error);
}

/** The plain name of a file; undefined for a directory. Throws for everything that could lead out of the place where it is unpacked. */
function acceptedName({ name, type, size }: Header, names: Set<string>): string | undefined {
  const plain = name.replace(/^(?:\.\/)+/, '').replace(/\/$/, '');
  const shown = JSON.stringify(name.slice(0, 100));
  if (type !== 'file' && type !== 'contiguous-file' && type !== 'directory') {
    throw invalid(`entry ${shown} is a ${type}, not a file`);
  }
  if (isLeading(plain)) throw invalid(`entry ${shown} leads out of the archive`);
  if (type === 'directory') return undefined;
  if (names.has(plain)) throw invalid(`entry ${shown} is in it twice`);
  if (names.size >= MAX_ENTRIES) throw invalid(`it has more than ${MAX_ENTRIES} files`);
  if (plain === METADATA && size > MAX_METADATA_BYTES) {
    throw tooLarge(`a ${METADATA} of more than ${MAX_METADATA_BYTES} bytes`);
  }
  names.add(plain);
  return plain;
}

function isLeading(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- a control character is what is looked for
  return name.length > MAX_NAME || /^\/|\\|[\0-\x1f]|^[A-Za-z]:/.test(name) || name.split('/').includes('..');
}

async function collect(content: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function hashOf(content: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function checkHash({ sha256 }: Manifest, hashes: ReadonlyMap<string, string>): void {
  if (sha256 === undefined || [...hashes.values()].includes(sha256.toLowerCase())) return;
  const found = [...hashes].slice(0, 3).map(([name, hash]) => `${name} ${hash}`);
  throw new LoadError(
    'ChecksumMismatch',
    `metadata.json says sha256 ${sha256} of the model file, there is ${found.join(', ')}`,
  );
}

function tooLarge(what: string): LoadError {
  return new LoadError('ArtifactTooLarge', `The artifact has ${what}`);
}

function invalid(why: string, cause?: unknown): LoadError {
  return new LoadError('ArtifactInvalid', `The artifact is not usable: ${why}`, { cause });
}
