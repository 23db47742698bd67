// Requests and answers of the Open Inference Protocol over REST: JSON, with tensors as binary data behind it where a client wants that
// (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md). Pure.
import { HttpError } from '../errors.ts';
import { writeBinary } from './datatype.ts';
import { type OutputTensor, type TensorName, outputName } from './outputs.ts';
import { BinaryTail, type InputTensor, isRecord, parametersOf, tensorOfJson } from './tensor.ts';

export interface RequestedOutput {
  readonly name: TensorName;
  /** Answer it as binary data. */
  readonly binary: boolean;
}

export interface InferRequest {
  readonly id?: string;
  readonly inputs: readonly InputTensor[];
  readonly outputs: readonly RequestedOutput[];
}

export interface InferAnswer {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id?: string;
  readonly outputs: readonly (OutputTensor & { readonly binary: boolean })[];
}

/** A body, and the length of its JSON where binary data follows. */
export interface Encoded {
  readonly body: string | Uint8Array;
  readonly jsonLength?: number;
}

/**
 * Divides a body by the header Inference-Header-Content-Length; without the header it is all JSON. Throws HttpError 400.
 */
export function dividedBody(
  body: Uint8Array,
  header: string | undefined,
): readonly [json: Uint8Array, tail: BinaryTail] {
  if (header === undefined) return [body, new BinaryTail(body.subarray(body.length))];
  const length = /^\d{1,15}$/.test(header) ? Number(header) : NaN;
  if (!(length <= body.length)) {
    throw bad(
      `Inference-Header-Content-Length must be the length of the JSON, at most the ${body.length} bytes of the body`,
    );
  }
  return [body.subarray(0, length), new BinaryTail(body.subarray(length))];
}

/** Reads an infer call. Throws HttpError 400. */
export function readInferRequest(
  request: Readonly<Record<string, unknown>>,
  tail: BinaryTail,
  maxRows: number,
): InferRequest {
  const { id, inputs, outputs, parameters } = request;
  if (id !== undefined && id !== null && typeof id !== 'string') throw bad('id must be a string');
  if (!Array.isArray(inputs)) throw bad('inputs must be a list of tensors');
  const tensors = inputs.map((input: unknown) => {
    if (isRecord(input)) return tensorOfJson(input, tail, maxRows);
    throw bad('an input must be an object with name, shape, datatype and data');
  });
  tail.end();
  const binary = flag(parametersOf(parameters), 'binary_data_output') ?? false;
  return { ...(typeof id === 'string' && { id }), inputs: tensors, outputs: requestedOutputs(outputs, binary) };
}

function requestedOutputs(outputs: unknown, binary: boolean): readonly RequestedOutput[] {
  if (outputs !== undefined && outputs !== null && !Array.isArray(outputs)) throw bad('outputs must be a list');
  const list: readonly unknown[] = outputs ?? [];
  if (list.length === 0) return [{ name: 'predict', binary }];
  const requested = list.map((output) => {
    const { name, parameters } = isRecord(output) ? output : {};
    const given = parametersOf(parameters);
    if (given['classification'] !== undefined) throw bad('the classification extension is not supported');
    return { name: outputName(name), binary: flag(given, 'binary_data') ?? binary };
  });
  if (new Set(requested.map(({ name }) => name)).size < requested.length) throw bad('an output is asked for twice');
  return requested;
}

function flag(parameters: Readonly<Record<string, unknown>>, name: string): boolean | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw bad(`${name} must be true or false`);
}

/** Writes the answer to an infer call. */
export function writeInferAnswer({ modelName, modelVersion, id, outputs }: InferAnswer): Encoded {
  const tails: Uint8Array[] = [];
  const tensors = outputs.map(({ name, shape, datatype, data, binary }) => {
    if (!binary) return { name, shape, datatype, data: Array.from<unknown>(data) };
    const bytes = writeBinary(data, datatype);
    tails.push(bytes);
    return { name, shape, datatype, parameters: { binary_data_size: bytes.length } };
  });
  const json = JSON.stringify({
    model_name: modelName,
    model_version: modelVersion,
    ...(id !== undefined && { id }),
    outputs: tensors,
  });
  if (tails.length === 0) return { body: json };
  const head = new TextEncoder().encode(json);
  return { body: Buffer.concat([head, ...tails]), jsonLength: head.length };
}

function bad(message: string): HttpError {
  return new HttpError(400, message);
}
