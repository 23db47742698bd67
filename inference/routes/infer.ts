// An infer call of the Open Inference Protocol, whether it came over REST or gRPC: input tensors in, output tensors out.
import type { OutputName } from '../model/model.ts';
import type { ServedModel } from '../model/served.ts';
import { type OutputTensor, outputTensor, tensorsOf } from '../tensors/outputs.ts';
import { rowsOf } from '../tensors/rows.ts';
import type { InputTensor } from '../tensors/tensor.ts';
import type { ModelsOptions } from './models.ts';
import { run } from './models.ts';

export const SERVER_METADATA = { name: 'switchyard', version: '0.1.0', extensions: ['binary_tensor_data'] } as const;

const NOTHING = new Float64Array();

/** The outputs of these names, in their order. Throws HttpError 400, ModelInputError. */
export async function infer(
  options: ModelsOptions,
  served: ServedModel,
  inputs: readonly InputTensor[],
  names: readonly OutputName[],
): Promise<readonly OutputTensor[]> {
  const rows = rowsOf(inputs, served);
  const numbers = await run(options, served, names, rows);
  return names.map((name) => outputTensor(served.model, name, numbers.get(name) ?? NOTHING, rows.count));
}

export function modelMetadata(name: string, served: ServedModel) {
  return { name, versions: [served.version], platform: 'sklearn_joblib', ...tensorsOf(served) };
}
