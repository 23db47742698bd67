// The thread that reads artifacts, away from the event loop that serves. It starts at once, while the first artifact is fetched, and stays for the next
// one: a thread that has read a model does it again several times as fast as a new one.
import { Worker } from 'node:worker_threads';
import { LoadError, codeOf, loadErrorOf } from '../errors.ts';
import type { Failure } from '../contract.ts';
import type { ReadArtifact, ReadOrder } from './read-artifact.ts';

export type ReadOutcome =
  { readonly ok: true; readonly artifact: ReadArtifact } | { readonly ok: false; readonly failure: Failure };

/** Reads an artifact; ended by `signal`. Throws LoadError, or the reason of `signal`. */
export type Reader = (order: ReadOrder, signal: AbortSignal) => Promise<ReadArtifact>;

/** Beside this file in the sources, beside main.js in a bundle. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
const HEAP_MB = 512; // objects of the reader; the arrays of the model are outside and bounded by maxBytes

/** A reader with a thread of its own, and another for an order that comes while that is at work. */
export function readerThread(): Reader {
  let idle: Worker | undefined;
  const forget = (worker: Worker) => void (idle = idle === worker ? undefined : idle);
  idle = startWorker(forget);
  return async (order, signal) => {
    const worker = idle ?? startWorker(forget);
    idle = undefined;
    const abort = () => void worker.terminate();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const outcome = await outcomeOf(worker, order);
      signal.throwIfAborted();
      idle ??= worker;
      if (!outcome.ok) throw new LoadError(outcome.failure.reason, outcome.failure.message);
      return outcome.artifact;
    } catch (error) {
      signal.throwIfAborted();
      throw workerError(error);
    } finally {
      signal.removeEventListener('abort', abort);
      if (idle !== worker) await worker.terminate();
    }
  };
}

function startWorker(onEnd: (worker: Worker) => void): Worker {
  const worker = new Worker(WORKER, {
    env: {}, // the reader of foreign bytes gets no credentials
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  worker.unref();
  // Without a listener an error would end the process; whoever waits for an outcome has one of his own.
  worker.on('error', () => undefined);
  worker.on('exit', () => onEnd(worker));
  return worker;
}

/** Rejects when the thread ends before it has answered. */
async function outcomeOf(worker: Worker, order: ReadOrder): Promise<ReadOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadOutcome>();
  const ended = (code: number) => reject(new Error(`the reader ended with code ${code} and no result`));
  worker.once('message', resolve).once('error', reject).once('exit', ended);
  worker.ref();
  worker.postMessage(order);
  try {
    return await promise;
  } finally {
    worker.off('message', resolve).off('error', reject).off('exit', ended);
    worker.unref();
  }
}

function workerError(error: unknown): LoadError {
  const code = codeOf(error);
  if (code === 'ERR_WORKER_OUT_OF_MEMORY' || code === 'ERR_MEMORY_ALLOCATION_FAILED') {
    return new LoadError('InsufficientMemory', 'The model does not fit into memory while it is read', { cause: error });
  }
  return loadErrorOf(error);
}
