// The calls of inference.GRPCInferenceService, from the bytes of a request to the bytes of its response. What they do is what V2 over REST does.
import { HttpError } from '../errors.ts';
import type { ServedModel } from '../model/served.ts';
import { SERVER_METADATA, infer, modelMetadata } from '../routes/infer.ts';
import { counted, modelNamed } from '../routes/models.ts';
import type { ModelsOptions } from '../routes/models.ts';
import { writeBinary } from '../tensors/datatype.ts';
import { outputName } from '../tensors/outputs.ts';
import type { OutputTensor } from '../tensors/outputs.ts';
import { inputsOf } from './inputs.ts';
import { readModelAddress, readModelInferRequest } from './requests.ts';
import type { ModelAddress } from './requests.ts';
import { writeFlag, writeModelInferResponse, writeModelMetadata, writeServerMetadata } from './responses.ts';

export const SERVICE = 'inference.GRPCInferenceService';

export const INFER = 'ModelInfer';

/** Told of a call. */
export interface Listener {
  /** Which model answers. */
  readonly use: (served: ServedModel) => void;
  /** What it has inferred. */
  readonly inferred: (outputs: readonly OutputTensor[]) => void;
}
/** One call. Throws WireError, HttpError, ModelInputError. */
export type Method = (message: Uint8Array, listener: Listener) => Promise<Uint8Array> | Uint8Array;

/** The calls by name. */
export function methodsOf(options: ModelsOptions): ReadonlyMap<string, Method> {
  const { slot, isLeaving } = options;
  const elsewhere: Method = () => {
    throw new HttpError(501, 'models are loaded on the admin port: POST /model/reload');
  };
  return new Map<string, Method>([
    ['ServerLive', () => writeFlag(true)],
    ['ServerReady', () => writeFlag(slot.current !== undefined && !isLeaving())],
    ['ServerMetadata', () => writeServerMetadata(SERVER_METADATA)],
    ['ModelReady', (message) => writeFlag(isModelReady(options, readModelAddress(message)))],
    [
      'ModelMetadata',
      (message, listener) => {
        const address = readModelAddress(message);
        return writeModelMetadata(modelMetadata(address.name, find(options, address, listener)));
      },
    ],
    [INFER, (message, listener) => counted(options, () => modelInfer(options, message, listener))],
    ['RepositoryModelLoad', elsewhere],
    ['RepositoryModelUnload', elsewhere],
  ]);
}

function find(options: ModelsOptions, { name, version }: ModelAddress, { use }: Listener): ServedModel {
  const served = modelNamed(options, name, version === '' ? undefined : version);
  use(served);
  return served;
}

async function modelInfer(options: ModelsOptions, message: Uint8Array, listener: Listener): Promise<Uint8Array> {
  const request = readModelInferRequest(message);
  const { model, id, rawInputContents } = request;
  const served = find(options, model, listener);
  const names = request.outputs.length === 0 ? (['predict'] as const) : request.outputs.map(outputName);
  const outputs = await infer(options, served, inputsOf(request, options.maxRows), names);
  listener.inferred(outputs);
  // A client that sends raw contents reads them too; that is how KServe's servers decide.
  const isRaw = rawInputContents.length > 0;
  const rawOutputContents = isRaw ? outputs.map(({ data, datatype }) => writeBinary(data, datatype)) : undefined;
  return writeModelInferResponse({
    modelName: model.name,
    modelVersion: served.version,
    id,
    outputs,
    rawOutputContents,
  });
}

/** Before the first load there is a model of that name already, and it is not ready. */
function isModelReady(options: ModelsOptions, { name, version }: ModelAddress): boolean {
  if (name === options.modelName() && options.slot.current === undefined) return false;
  modelNamed(options, name, version === '' ? undefined : version);
  return !options.isLeaving();
}
