// What V1 and V2 share: finding the model by its name, reading a JSON body, and running many rows without holding up other requests.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { HttpError } from '../errors.ts';
import type { Batches, Rows } from '../model/batches.ts';
import { type OutputName, methodOf } from '../model/model.ts';
import type { ServedModel, ServingSlot } from '../model/served.ts';
import type { Counts } from '../monitoring/counts.ts';

export interface ModelsOptions {
  readonly slot: ServingSlot;
  readonly counts: Counts;
  /** The one name under which the model is served. */
  readonly modelName: () => string;
  /** It wants no new traffic, although it answers: the process has been told to end, or some of its threads do not serve yet. */
  readonly isLeaving: () => boolean;
  readonly batches: Batches;
  /** Most rows in one request. */
  readonly maxRows: number;
}

/** The model of that name and version. Throws HttpError 404 or 503. */
export function modelNamed({ slot, modelName }: ModelsOptions, name: string, version?: string): ServedModel {
  if (name !== modelName())
    throw new HttpError(404, `Model with name ${JSON.stringify(name.slice(0, 100))} does not exist`);
  const served = slot.current;
  if (served === undefined) throw new HttpError(503, `Model ${modelName()} is not ready`);
  if (version !== undefined && version !== served.version) {
    throw new HttpError(404, `Version ${JSON.stringify(version.slice(0, 100))} of model ${name} is not loaded`);
  }
  return served;
}

/** `modelNamed`, noted as the one that answers the request. */
export function findModel(
  request: FastifyRequest,
  options: ModelsOptions,
  name: string,
  version?: string,
): ServedModel {
  const served = modelNamed(options, name, version);
  request.served = served;
  return served;
}

/** A body that takes milliseconds to read or to answer. */
const LARGE_BYTES = 128 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Between the steps of a large request others get their turn. */
export async function breathe(bytes: number): Promise<void> {
  if (bytes > LARGE_BYTES) await nextTurn();
}

/** The bytes of a request. Throws HttpError 415 when they are compressed. */
export function bodyOf({ body, headers }: FastifyRequest): Uint8Array {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new HttpError(415, `Content-Encoding ${encoding.slice(0, 20)} is not supported: send the body as it is`);
  }
  return body instanceof Uint8Array ? body : new Uint8Array();
}

/** The body as a JSON object. Throws HttpError 400. */
export function jsonObject(body: unknown): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body instanceof Uint8Array ? body : undefined));
  } catch (error) {
    throw new HttpError(400, `The body is not JSON: ${error instanceof Error ? error.message : 'unknown'}`, {
      cause: error,
    });
  }
  if (!isRecord(value)) throw new HttpError(400, 'The body is not a JSON object');
  return value;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The wanted outputs of every row, row-major, by name; other requests get their turn between batches. Every API answers through this, so that what is
 * watched of the model sees each row once. Throws ModelInputError, HttpError 400 where there is no such output.
 */
export async function run(
  { counts, batches }: ModelsOptions,
  served: ServedModel,
  names: readonly OutputName[],
  rows: Rows,
): Promise<ReadonlyMap<OutputName, Float64Array>> {
  const { model } = served;
  const start = performance.now();
  const letGo = model.remote?.hold();
  const outputs = new Map<OutputName, Float64Array>();
  try {
    for (const name of new Set(names)) {
      const method = methodOf(model, name);
      if (method === undefined) throw new HttpError(400, `${model.modelType} has no ${name}`);
      const { values, count } = rows;
      outputs.set(name, await (model.remote?.run(name, values, count) ?? batches.run(method, model.features, rows)));
    }
  } finally {
    letGo?.();
  }
  counts.predict.observe((performance.now() - start) / 1000);
  await counts.monitor.rows(served, rows.values, {
    predictions: outputs.get('predict'),
    probabilities: outputs.get('predict_proba'),
  });
  return outputs;
}

/** Counts a request by how it ends. */
export async function counted<T>({ counts }: Pick<ModelsOptions, 'counts'>, answer: () => Promise<T>): Promise<T> {
  try {
    const value = await answer();
    counts.success();
    return value;
  } catch (error) {
    counts.failure();
    throw error;
  }
}
