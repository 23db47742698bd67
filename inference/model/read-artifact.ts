// From an artifact file to plain data that can be handed to another thread. No schema library here: a worker pays for each import at each load.
import { createHash } from 'node:crypto';
import { decompressed, withoutXz } from '../formats/compression.ts';
import { ONNX_FILE, type OnnxFile, readOnnx } from '../onnx/file.ts';
import { ModelError } from './errors.ts';
import { PICKLED } from './file-readers.ts';
import { insufficientMemory, largestIn } from './memory.ts';
import { parseModel, transferables } from './model.ts';
import type { ModelData } from './model-data.ts';
import { type UnpackLimits, unpack } from './package.ts';
import { withSharedArrays } from './shared-arrays.ts';

export interface ReadOrder extends UnpackLimits {
  /** Name in the store; its ending tells an archive from a bare model file. */
  readonly key: string;
  readonly path: string;
  /** Put the arrays into memory that several threads can read. */
  readonly shared?: boolean;
}

export interface ReadArtifact {
  readonly data: ModelData | OnnxFile;
  /** Of the model file, unpacked; where metadata.json has one to compare it with. */
  readonly modelSha256?: string;
  /** Content of metadata.json. */
  readonly metadata?: Uint8Array;
}

export interface HeldArtifact {
  readonly artifact: ReadArtifact;
  /** Lets go of what the artifact was read from: giving back so much memory takes a while. */
  readonly release: () => void;
}

/** Unpacks and parses. Throws LoadError and ModelError: the reasons that blame the artifact. */
export async function readArtifact(order: ReadOrder): Promise<ReadArtifact> {
  const { artifact, release } = await readHolding(order);
  release();
  return artifact;
}

/** As `readArtifact`, for who has something more urgent to do than to tidy up. */
export async function readHolding({ key, path, shared, ...limits }: ReadOrder): Promise<HeldArtifact> {
  const { fileName, model: stored, metadata } = await unpack(key, path, limits);
  const model = PICKLED.test(fileName) ? await plain(stored, fileName, limits) : stored;
  const parsed = ONNX_FILE.test(fileName) ? readOnnx(model) : parseModel(fileName, model, limits);
  const data = shared === true && !('onnx' in parsed) ? withSharedArrays(parsed) : parsed;
  const artifact = {
    data,
    ...(isHashAsked(metadata) && { modelSha256: createHash('sha256').update(stored).digest('hex') }),
    ...(metadata && { metadata: new Uint8Array(metadata) }),
  };
  const kept = 'onnx' in data ? [] : transferables(data);
  const left = data === parsed || 'onnx' in parsed ? [] : transferables(parsed);
  const release = () => {
    for (const buffer of new Set([stored.buffer, model.buffer, ...left])) free(buffer, kept);
  };
  return { artifact, release };
}

/** Whether there is such a field in metadata.json, by its name, or a name that is written with escapes: to hash takes a fourteenth of a reload. */
function isHashAsked(metadata: Buffer | undefined): boolean {
  return metadata !== undefined && (metadata.includes('sha256') || metadata.includes('\\u'));
}

/** A pickle without its compression. How large it is shows while it is unpacked, and it has to fit into memory as any other. */
async function plain(stored: Uint8Array, fileName: string, { maxBytes, memory }: UnpackLimits): Promise<Uint8Array> {
  const most = Math.min(maxBytes, largestIn(fileName, memory));
  try {
    return decompressed(await withoutXz(stored, most), most);
  } catch (error) {
    const isTooLarge = error instanceof ModelError && error.reason === 'ArtifactTooLarge';
    if (memory === undefined || most >= maxBytes || !isTooLarge) throw error;
    throw insufficientMemory(fileName, most + 1, memory);
  }
}

/** The thread stays, and would keep the file in memory until it next collects garbage. A small one may be a part of Node's pool of buffers. */
function free(buffer: ArrayBufferLike, kept: readonly ArrayBuffer[]): void {
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize;
  if (isOwn && !kept.includes(buffer)) buffer.transfer(0);
}
