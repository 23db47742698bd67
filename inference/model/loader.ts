// Turns an artifact file into a model in a worker thread, bounded in memory and time, and warms it up on the thread that will serve it.
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LoadError, codeOf, loadErrorOf } from '../errors.ts';
import type { Failure } from '../contract.ts';
import { checkFeatures, checkGolden, checkModelHash } from './checks.ts';
import { parseManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { modelOf } from './model.ts';
import type { Model, ModelData } from './model.ts';

export interface WorkOrder {
  /** Name in the store; its ending tells an archive from a bare model file. */
  readonly key: string;
  readonly path: string;
  readonly maxBytes: number;
  /** Bytes that this process may use in all; undefined: unknown. */
  readonly memoryLimit?: number;
}

export type WorkResult =
  | {
      readonly ok: true;
      readonly data: ModelData;
      /** Of the model file, unpacked. */
      readonly modelSha256: string;
      /** Content of metadata.json. */
      readonly metadata?: Uint8Array;
    }
  | { readonly ok: false; readonly failure: Failure };

export interface LoadedModel {
  readonly manifest: Manifest;
  readonly model: Model;
}

/** Reads one artifact file. Throws LoadError, or the reason of `signal`, which also ends the worker. */
export type Loader = (order: Pick<WorkOrder, 'key' | 'path'>, signal: AbortSignal) => Promise<LoadedModel>;

/** Beside this file in the sources, beside main.js in a bundle. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
const WARM_UP_ROWS = 200;
const HEAP_MB = 512; // objects of the reader; the arrays of the model are outside and bounded by maxBytes

/** A loader for artifacts whose model has at most `maxBytes` unpacked, in a process that may use `memoryLimit` bytes. */
export function workerLoader({ maxBytes, memoryLimit }: Pick<WorkOrder, 'maxBytes' | 'memoryLimit'>): Loader {
  return async (order, signal) => {
    signal.throwIfAborted();
    const result = await runWorker({ ...order, maxBytes, ...(memoryLimit && { memoryLimit }) }, signal);
    const manifest = parseManifest(result.metadata);
    checkModelHash(manifest, result.modelSha256);
    const model = modelOf(result.data);
    checkFeatures(manifest, model);
    await checkGolden(manifest.golden, model);
    await warmUp(model);
    return { manifest, model };
  };
}

async function runWorker(order: WorkOrder, signal: AbortSignal) {
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
    return result;
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
    model.predictProba(row, 1);
    if (at % 20 === 19) await yieldToRequests();
  }
}
