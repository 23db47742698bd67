// The responses of inference.GRPCInferenceService, by the field numbers of grpc_predict_v2.proto. Pure.
import type { OutputTensor, TensorMetadata } from '../tensors/outputs.ts';
import { CONTENTS_FIELDS } from './requests.ts';
import { MessageWriter } from './wire.ts';

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

export interface ModelInferResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly outputs: readonly OutputTensor[];
  /** The data of each output; undefined: the outputs hold their data themselves. */
  readonly rawOutputContents: readonly Uint8Array[] | undefined;
}

const encoder = new TextEncoder();

/** ServerLiveResponse, ServerReadyResponse, ModelReadyResponse. */
export function writeFlag(flag: boolean): Uint8Array {
  return new MessageWriter().bool(1, flag).finish();
}

export function writeServerMetadata({ name, version, extensions }: ServerMetadata): Uint8Array {
  const message = new MessageWriter().text(1, name).text(2, version);
  for (const extension of extensions) message.text(3, extension);
  return message.finish();
}

export function writeModelMetadata({ name, versions, platform, inputs, outputs }: ModelMetadata): Uint8Array {
  const message = new MessageWriter().text(1, name);
  for (const version of versions) message.text(2, version);
  message.text(3, platform);
  for (const tensor of inputs) message.bytes(4, tensorHead(tensor).finish());
  for (const tensor of outputs) message.bytes(5, tensorHead(tensor).finish());
  return message.finish();
}

export function writeModelInferResponse(response: ModelInferResponse): Uint8Array {
  const { modelName, modelVersion, id, outputs, rawOutputContents } = response;
  const message = new MessageWriter().text(1, modelName).text(2, modelVersion).text(3, id);
  for (const output of outputs) {
    const tensor = tensorHead(output);
    if (rawOutputContents === undefined) tensor.bytes(5, contentsOf(output));
    message.bytes(5, tensor.finish());
  }
  for (const bytes of rawOutputContents ?? []) message.bytes(6, bytes);
  return message.finish();
}

function tensorHead({ name, datatype, shape }: TensorMetadata): MessageWriter {
  return new MessageWriter().text(1, name).text(2, datatype).integers(3, shape);
}

/** InferTensorContents. */
function contentsOf({ datatype, data }: OutputTensor): Uint8Array {
  const message = new MessageWriter();
  const field = CONTENTS_FIELDS[datatype] ?? 0;
  if (datatype === 'BYTES') {
    for (const value of data) message.bytes(field, encoder.encode(String(value)));
    return message.finish();
  }
  const numbers = Array.from<unknown, number>(data, Number);
  return (datatype === 'FP64' ? message.doubles(field, numbers) : message.integers(field, numbers)).finish();
}
