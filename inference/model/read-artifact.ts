// From an artifact file to plain data that can be handed to another thread. No schema library here: a worker pays for each import at each load.
import { createHash } from 'node:crypto';
import { withoutXz } from '../formats/compression.ts';
import { LoadError } from '../load-error.ts';
import { ONNX_FILE, type OnnxFile, SESSION_BYTES, readOnnx } from '../onnx/file.ts';
import { PICKLED } from './file-readers.ts';
import { parseModel, transferables } from './model.ts';
import type { ModelData } from './model-data.ts';
import { unpack } from './package.ts';
import { withSharedArrays } from './shared-arrays.ts';

export interface ReadOrder {
  /** Name in the store; its ending tells an archive from a bare model file. */
  readonly key: string;
  readonly path: string;
  /** Of the model, unpacked. */
  readonly maxBytes: number;
  /** Bytes that this process may use in all; undefined: unknown. */
  readonly memoryLimit?: number;
  /** Put the arrays into memory that several threads can read. */
  readonly shared?: boolean;
}

export interface ReadArtifact {
  readonly data: ModelData | OnnxFile;
  /** Of the model file, unpacked. */
  readonly modelSha256: string;
  /** Content of metadata.json. */
  readonly metadata?: Uint8Array;
}

/** Memory of the arrays and the reader's copies, for each byte of a file; and of the arrays once more while they move. */
const PARSED_BYTES = 2;
const SHARED_BYTES = 1;

/** Unpacks and parses. Throws LoadError and ModelError: the reasons that blame the artifact. */
export async function readArtifact({ key, path, maxBytes, memoryLimit, shared }: ReadOrder): Promise<ReadArtifact> {
  const { fileName, model: stored, metadata } = await unpack(key, path, maxBytes);
  const model = PICKLED.test(fileName) ? await withoutXz(stored, maxBytes) : stored;
  const isOnnx = ONNX_FILE.test(fileName);
  const parsedBytes = PARSED_BYTES + (shared === true ? SHARED_BYTES : 0);
  checkMemory(model.length * (isOnnx ? SESSION_BYTES : parsedBytes), memoryLimit);
  const parsed = isOnnx ? readOnnx(model) : parseModel(fileName, model, { maxBytes });
  const data = shared === true && !('onnx' in parsed) ? withSharedArrays(parsed) : parsed;
  const modelSha256 = createHash('sha256').update(stored).digest('hex');
  const read = { data, modelSha256, ...(metadata && { metadata: new Uint8Array(metadata) }) };
  const kept = 'onnx' in data ? [] : transferables(data);
  const left = data === parsed || 'onnx' in parsed ? [] : transferables(parsed);
  for (const buffer of new Set([stored.buffer, model.buffer, ...left])) release(buffer, kept);
  return read;
}

/** The thread stays, and would keep the file in memory until it next collects garbage. A small one may be a part of Node's pool of buffers. */
function release(buffer: ArrayBufferLike, kept: readonly ArrayBuffer[]): void {
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize;
  if (isOwn && !kept.includes(buffer)) buffer.transfer(0);
}

/** The model is made beside everything that is in memory already. */
function checkMemory(modelBytes: number, limit: number | undefined): void {
  const needed = process.memoryUsage.rss() + modelBytes;
  if (limit === undefined || needed <= limit) return;
  throw new LoadError(
    'InsufficientMemory',
    `Loading the model beside the active one needs about ${needed} bytes, the limit is ${limit}: raise the memory limit`,
  );
}
