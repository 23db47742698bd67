// The calls of inference.GRPCInferenceService, from the bytes of a request to the bytes of its response. What they do is what V2 over REST does.
import { HttpError } from '../errors.ts';
import type { ServedModel } from '../model/served.ts';
import { SERVER_METADATA, infer, modelMetadata } from '../routes/infer.ts';
import { counted, modelNamed } from '../routes/models.ts';
import type { ModelsOptions } from '../routes/models.ts';
import { checkedNumber, readBinary, textOfBytes, writeBinary } from '../tensors/datatype.ts';
import type { Elements } from '../tensors/datatype.ts';
import { outputName } from '../tensors/outputs.ts';
import { type InputTensor, type TensorHead, headOf, shown } from '../tensors/tensor.ts';
import { CONTENTS_FIELDS, readModelAddress, readModelInferRequest } from './requests.ts';
import type { InferInput, ModelAddress, ModelInferRequest } from './requests.ts';
import { writeFlag, writeModelInferResponse, writeModelMetadata, writeServerMetadata } from './responses.ts';

export const SERVICE = 'inference.GRPCInferenceService';

/** Told which model answers. */
type Use = (served: ServedModel) => void;
/** One call. Throws WireError, HttpError, ModelInputError. */
export type Method = (message: Uint8Array, use: Use) => Promise<Uint8Array> | Uint8Array;

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
      (message, use) => {
        const address = readModelAddress(message);
        return writeModelMetadata(modelMetadata(address.name, find(options, address, use)));
      },
    ],
    ['ModelInfer', (message, use) => counted(options, () => modelInfer(options, message, use))],
    ['RepositoryModelLoad', elsewhere],
    ['RepositoryModelUnload', elsewhere],
  ]);
}

function find(options: ModelsOptions, { name, version }: ModelAddress, use: Use): ServedModel {
  const served = modelNamed(options, name, version === '' ? undefined : version);
  use(served);
  return served;
}

async function modelInfer(options: ModelsOptions, message: Uint8Array, use: Use): Promise<Uint8Array> {
  const request = readModelInferRequest(message);
  const { model, id, rawInputContents } = request;
  const served = find(options, model, use);
  const names = request.outputs.length === 0 ? (['predict'] as const) : request.outputs.map(outputName);
  const outputs = await infer(options, served, inputsOf(request, options.maxRows), names);
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

function inputsOf({ inputs, rawInputContents }: ModelInferRequest, maxRows: number): readonly InputTensor[] {
  const isRaw = rawInputContents.length > 0;
  if (isRaw && rawInputContents.length !== inputs.length) {
    throw bad(`there are ${inputs.length} inputs and ${rawInputContents.length} raw_input_contents`);
  }
  return inputs.map((input, at) => {
    const head = headOf(input.name, input.datatype, input.shape, maxRows);
    const raw = rawInputContents[at];
    if (raw === undefined) return { ...head, elements: elementsOf(input, head) };
    if (input.contents.size > 0)
      throw bad(`${shown(input.name)} has contents and raw_input_contents: send one of them`);
    return { ...head, elements: readBinary(raw, head.datatype, head.rows * head.columns) };
  });
}

function elementsOf({ contents }: InferInput, { name, datatype, rows, columns }: TensorHead): Elements {
  const field = CONTENTS_FIELDS[datatype];
  if (field === undefined) throw bad(`${datatype} comes in raw_input_contents`);
  const values = contents.get(field) ?? [];
  if (values.length !== rows * columns || [...contents.keys()].some((other) => other !== field)) {
    throw bad(`contents of ${shown(name)} do not fit the shape [${rows}, ${columns}] of ${datatype}`);
  }
  if (datatype === 'BYTES') return values.map((value) => (typeof value === 'number' ? '' : textOfBytes(value)));
  return Float64Array.from(values, (value) => (typeof value === 'number' ? checkedNumber(value, datatype) : NaN));
}

function bad(message: string): HttpError {
  return new HttpError(400, message);
}
