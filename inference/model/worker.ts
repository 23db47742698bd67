// Runs in a thread of its own: reads artifacts, one after the other, and hands the arrays over without a copy.
import { parentPort } from 'node:worker_threads';
import { failureOf, loadErrorOf } from '../load-error.ts';
import { transferables } from './model.ts';
import { readHolding } from './read-artifact.ts';
import type { ReadArtifact, ReadOrder } from './read-artifact.ts';
import type { ReadOutcome } from './reader-thread.ts';

// V8 compiles array accesses anew, all of them, when an array first goes to another thread; what the first load has compiled shall serve the next ones.
new ArrayBuffer(1).transfer();

parentPort?.on('message', (order: ReadOrder) => void answer(order));

async function answer(order: ReadOrder): Promise<void> {
  try {
    const { artifact, release } = await readHolding(order);
    parentPort?.postMessage({ ok: true, artifact } satisfies ReadOutcome, moved(artifact));
    release();
  } catch (error) {
    parentPort?.postMessage({ ok: false, failure: failureOf(loadErrorOf(error)) } satisfies ReadOutcome);
  }
}

function moved({ data }: ReadArtifact): ArrayBuffer[] {
  return 'onnx' in data ? [data.onnx.buffer] : transferables(data);
}
