// Runs in a worker thread: unpacks and reads one artifact away from the event loop that serves, and hands the arrays over without a copy. Every import here
// is paid for at each load: no schema library.
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { LoadError, failureOf, loadErrorOf } from '../load-error.ts';
import { parseModel, transferables } from './model.ts';
import { unpack } from './package.ts';
import type { WorkOrder, WorkResult } from './loader.ts';

async function work({ key, path, maxBytes, memoryLimit }: WorkOrder): Promise<WorkResult> {
  const { fileName, model, metadata } = await unpack(key, path, maxBytes);
  checkMemory(model.length, memoryLimit);
  const data = parseModel(fileName, model, { maxBytes });
  const modelSha256 = createHash('sha256').update(model).digest('hex');
  return { ok: true, data, modelSha256, ...(metadata && { metadata: new Uint8Array(metadata) }) };
}

/** The arrays and the reader's copies take about twice the file, beside everything that is in memory already. */
function checkMemory(fileBytes: number, limit: number | undefined): void {
  const needed = process.memoryUsage.rss() + 2 * fileBytes;
  if (limit === undefined || needed <= limit) return;
  throw new LoadError(
    'InsufficientMemory',
    `Loading the model beside the active one needs about ${needed} bytes, the limit is ${limit}: raise the memory limit`,
  );
}

try {
  const result = await work(workerData as WorkOrder);
  parentPort?.postMessage(result, result.ok ? transferables(result.data) : []);
} catch (error) {
  parentPort?.postMessage({ ok: false, failure: failureOf(loadErrorOf(error)) } satisfies WorkResult);
}
