// Runs in a worker thread: unpacks, parses and checks one artifact away from the event loop that serves, and hands the arrays over without a copy.
import { parentPort, workerData } from 'node:worker_threads';
import { LoadError, failureOf, loadErrorOf } from '../errors.ts';
import { checkFeatures, checkGolden, checkModelHash } from './checks.ts';
import { parseManifest } from './manifest.ts';
import { modelOf, parseModel, transferables } from './model.ts';
import { unpack } from './package.ts';
import type { WorkOrder, WorkResult } from './loader.ts';

async function work({ key, path, maxBytes, memoryLimit }: WorkOrder): Promise<WorkResult> {
  const unpacked = await unpack(key, path, maxBytes);
  checkMemory(unpacked.model.length, memoryLimit);
  const manifest = parseManifest(unpacked.metadata);
  checkModelHash(manifest, unpacked.model);
  const data = parseModel(unpacked.fileName, unpacked.model, { maxBytes });
  const model = modelOf(data);
  checkFeatures(manifest, model);
  checkGolden(manifest.golden, model);
  return { ok: true, manifest, data };
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
