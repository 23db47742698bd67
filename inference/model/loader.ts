// Turns an artifact file into a model in a worker thread, bounded in memory and time, and warms it up on the thread that will serve it.
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { LoadError } from '../errors.ts';
import type { Preprocessing } from '../features/preprocessing.ts';
import { checkFeatures, checkGolden, checkModelHash } from './checks.ts';
import { growInLargerSteps } from './heap-growth.ts';
import { parseManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { ModelInputError, modelOf } from './model.ts';
import type { Model } from './model.ts';
import type { OnnxSessions } from '../onnx/sessions.ts';
import type { ReadArtifact, ReadOrder } from './read-artifact.ts';
import { readerThread } from './reader-thread.ts';
import type { Reader } from './reader-thread.ts';

export interface LoadedModel {
  readonly manifest: Manifest;
  readonly model: Model;
  /** Absent where rows are made of baskets. */
  readonly preprocessing?: Preprocessing;
  /** What it was made of. */
  readonly artifact: ReadArtifact;
}

/** Reads one artifact file. Throws LoadError, or the reason of `signal`, which also ends the worker. */
export type Loader = (order: Pick<ReadOrder, 'key' | 'path'>, signal: AbortSignal) => Promise<LoadedModel>;

const WARM_UP_ROWS = 200;
/** For a model of a kind that has been warmed up: its code is compiled, its numbers come into the processor's caches. */
const REFRESH_ROWS = 20;

export interface LoaderOptions extends Pick<ReadOrder, 'maxBytes' | 'shared'> {
  /** Bytes that this process may use in all; absent: unknown. */
  readonly memoryLimit?: number;
  /** Where ONNX models are run; absent: nowhere. */
  readonly onnx?: Pick<OnnxSessions, 'open'>;
}

/**
 * A loader for artifacts whose model has at most `maxBytes` unpacked, in a process that may use `memoryLimit` bytes. `read` is done in a thread of its own
 * unless a test says otherwise.
 */
export function modelLoader(
  { onnx, memoryLimit: limit, ...how }: LoaderOptions,
  read: Reader = readerThread(),
): Loader {
  const compiled = new Set<string>();
  return async (order, signal) => {
    signal.throwIfAborted();
    if (compiled.size > 0) growInLargerSteps();
    const memory = limit === undefined ? undefined : { limit, used: process.memoryUsage.rss() };
    const artifact = await read({ ...order, ...how, ...(memory && { memory }) }, signal);
    const manifest = parseManifest(artifact.metadata);
    checkModelHash(manifest, artifact.modelSha256);
    const { model, data } = await modelIn(artifact, manifest, onnx, signal);
    try {
      checkFeatures(manifest, model);
      const preprocessing = await preprocessingOf(manifest, model);
      await checkGolden(manifest.golden, model);
      const { remote, modelType } = model;
      if (remote === undefined) await warmUp(model, compiled.has(modelType) ? REFRESH_ROWS : WARM_UP_ROWS);
      compiled.add(modelType);
      return { manifest, model, artifact: { ...artifact, data }, ...(preprocessing && { preprocessing }) };
    } catch (error) {
      model.remote?.letGo();
      throw error;
    }
  };
}

/** The model, and its data as far as it is still there. */
async function modelIn(
  { data }: ReadArtifact,
  { labels }: Manifest,
  sessions: LoaderOptions['onnx'],
  signal: AbortSignal,
): Promise<{ readonly model: Model; readonly data: ReadArtifact['data'] }> {
  if (!('onnx' in data)) return { model: modelOf(data), data };
  if (sessions === undefined) throw new LoadError('UnsupportedModel', 'ONNX models are not run here');
  const { onnxModel } = await import('../onnx/model.ts');
  const bytes = data.onnx.length;
  const session = await sessions.open(data, signal);
  const named = Array.isArray(labels) ? labels : [];
  try {
    const model = await onnxModel(data.signature, session, { named, bytes });
    return { model, data: { ...data, onnx: new Uint8Array(), session: session.id } };
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

/** Runs the model until the compiler has seen it, a few rows at a time so that requests get their turn. */
async function warmUp(model: Model, rows: number): Promise<void> {
  const row = new Float64Array(model.features);
  for (let at = 0; at < rows; at += 1) {
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
