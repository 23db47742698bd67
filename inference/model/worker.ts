// Runs in a worker thread: reads one artifact away from the event loop that serves, and hands the arrays over without a copy.
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, loadErrorOf } from '../load-error.ts';
import type { WorkResult } from './loader.ts';
import { transferables } from './model.ts';
import { readArtifact } from './read-artifact.ts';
import type { ReadArtifact, ReadOrder } from './read-artifact.ts';

try {
  const artifact = await readArtifact(workerData as ReadOrder);
  parentPort?.postMessage({ ok: true, artifact } satisfies WorkResult, moved(artifact));
} catch (error) {
  parentPort?.postMessage({ ok: false, failure: failureOf(loadErrorOf(error)) } satisfies WorkResult);
}

function moved({ data }: ReadArtifact): ArrayBuffer[] {
  return 'onnx' in data ? [data.onnx.buffer] : transferables(data);
}
