// Turns an artifact file into a model in a worker thread, bounded in memory and time, and warms it up on the thread that will serve it.
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LoadError, codeOf, loadErrorOf } from '../errors.ts';
import type { Failure } from '../contract.ts';
import type { Preprocessing } from '../features/preprocessing.ts';
import { checkFeatures, checkGolden, checkModelHash } from './checks.ts';
import { parseManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { ModelInputError, modelOf } from './model.ts';
import type { Model } from './model.ts';
import type { OnnxFile } from '../onnx/file.ts';
import type { OnnxSessions } from '../onnx/sessions.ts';
import type { ReadArtifact, ReadOrder } from './read-artifact.ts';

export type WorkResult =
  { readonly ok: true; readonly artifact: ReadArtifact } | { readonly ok: false; readonly failure: Failure };

/** Reads an artifact; ended by `signal`. Throws LoadError, or the reason of `signal`. */
export type Reader = (order: ReadOrder, signal: AbortSignal) => Promise<ReadArtifact>;

export interface LoadedModel {
  readonly manifest: Manifest;
  readonly model: Model;
  /** Absent where rows are made of baskets. */
  readonly preprocessing?: Preprocessing;
}

/** Reads one artifact file. Throws LoadError, or the reason of `signal`, which also ends the worker. */
export type Loader = (order: Pick<ReadOrder, 'key' | 'path'>, signal: AbortSignal) => Promise<LoadedModel>;

/** Beside this file in the sources, beside main.js in a bundle. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
const WARM_UP_ROWS = 200;
const HEAP_MB = 512; // objects of the reader; the arrays of the model are outside and bounded by maxBytes

export interface LoaderOptions extends Pick<ReadOrder, 'maxBytes' | 'memoryLimit'> {
  /** Where ONNX models are run; absent: nowhere. */
  readonly onnx?: OnnxSessions;
}

/**
 * A loader for artifacts whose model has at most `maxBytes` unpacked, in a process that may use `memoryLimit` bytes. `read` is done in a worker thread
 * unless a test says otherwise.
 */
export function modelLoader({ onnx, ...limits }: LoaderOptions, read: Reader = readInWorker): Loader {
  return async (order, signal) => {
    signal.throwIfAborted();
    const { data, metadata, modelSha256 } = await read({ ...order, ...limits }, signal);
    const manifest = parseManifest(metadata);
    checkModelHash(manifest, modelSha256);
    const model = 'onnx' in data ? await opened(data, manifest, onnx, signal) : modelOf(data);
    try {
      checkFeatures(manifest, model);
      const preprocessing = await preprocessingOf(manifest, model);
      await checkGolden(manifest.golden, model);
      if (model.remote === undefined) await warmUp(model);
      return { manifest, model, ...(preprocessing && { preprocessing }) };
    } catch (error) {
      model.remote?.letGo();
      throw error;
    }
  };
}

async function opened(
  file: OnnxFile,
  { labels }: Manifest,
  sessions: OnnxSessions | undefined,
  signal: AbortSignal,
): Promise<Model> {
  if (sessions === undefined) throw new LoadError('UnsupportedModel', 'ONNX models are not run here');
  const { onnxModel } = await import('../onnx/model.ts');
  const bytes = file.onnx.length;
  const session = await sessions.open(file, signal);
  try {
    return await onnxModel(file.signature, session, { named: Array.isArray(labels) ? labels : [], bytes });
  } catch (error) {
    session.release();
    throw error;
  }
}

/** The expression language is loaded with the first model that has expressions. */
async function preprocessingOf(manifest: Manifest, model: Model): Promise<Preprocessing | undefined> {
  if (manifest.preprocessing === 'basket') return undefined;
  const { compilePreprocessing } = await import('../features/preprocessing.ts');
  return compilePreprocessing(manifest.preprocessing, manifest.features, model);
}

async function readInWorker(order: ReadOrder, signal: AbortSignal): Promise<ReadArtifact> {
  const worker = new Worker(WORKER, {
    workerData: order,
    env: {}, // the reader of foreign bytes gets no credentials
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  const abort = () => void worker.terminate();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const result = await resultOf(worker);
    signal.throwIfAborted();
    if (!result.ok) throw new LoadError(result.failure.reason, result.failure.message);
    return result.artifact;
  } catch (error) {
    signal.throwIfAborted();
    throw workerError(error);
  } finally {
    signal.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

function resultOf(worker: Worker): Promise<WorkResult> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the reader ended with code ${code} and no result`)));
  });
}

function workerError(error: unknown): LoadError {
  const code = codeOf(error);
  if (code === 'ERR_WORKER_OUT_OF_MEMORY' || code === 'ERR_MEMORY_ALLOCATION_FAILED') {
    return new LoadError('InsufficientMemory', 'The model does not fit into memory while it is read', { cause: error });
  }
  return loadErrorOf(error);
}

/** Runs the model until the compiler has seen it, a few rows at a time so that requests get their turn. */
async function warmUp(model: Model): Promise<void> {
  const row = new Float64Array(model.features);
  for (let at = 0; at < WARM_UP_ROWS; at += 1) {
    row.fill((at * 7919) % 101);
    for (const [column, texts] of model.texts) row[column] = at % texts.size;
    tryRow(model, row);
    if (at % 20 === 19) await yieldToRequests();
  }
}

/** A model may know only some numbers, and refuse the rest. */
function tryRow(model: Model, row: Float64Array): void {
  try {
    model.predict(row, 1);
    model.predictProba?.(row, 1);
  } catch (error) {
    if (!(error instanceof ModelInputError)) throw error;
  }
}
