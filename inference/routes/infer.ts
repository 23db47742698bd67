// An infer call of the Open Inference Protocol, whether it came over REST or gRPC: input tensors in, output tensors out.
import type { Rows } from '../model/batches.ts';
import type { ServedModel } from '../model/served.ts';
import { explanationTensor, isExplanation, outputTensor, tensorsOf } from '../tensors/outputs.ts';
import type { ExplanationName, OutputTensor, TensorName } from '../tensors/outputs.ts';
import { rowsOf } from '../tensors/rows.ts';
import type { InputTensor } from '../tensors/tensor.ts';
import { contributionsOf, explainerOf } from './explanation.ts';
import type { ModelsOptions } from './models.ts';
import { run } from './models.ts';

export const SERVER_METADATA = { name: 'switchyard', version: '0.1.0', extensions: ['binary_tensor_data'] } as const;

const NOTHING = new Float64Array();

/** The outputs of these names, in their order. Throws HttpError 400, ModelInputError. */
export async function infer(
  options: ModelsOptions,
  served: ServedModel,
  inputs: readonly InputTensor[],
  names: readonly TensorName[],
): Promise<readonly OutputTensor[]> {
  const rows = rowsOf(inputs, served);
  const answers = names.filter((name) => !isExplanation(name));
  const explanations = await explanationsOf(served, names.filter(isExplanation), rows);
  const numbers = await run(options, served, answers, rows);
  return names.map((name) =>
    isExplanation(name)
      ? (explanations.get(name) ?? { name, shape: [0], datatype: 'FP64', data: NOTHING })
      : outputTensor(served.model, name, numbers.get(name) ?? NOTHING, rows.count),
  );
}

async function explanationsOf(
  served: ServedModel,
  names: readonly ExplanationName[],
  rows: Rows,
): Promise<ReadonlyMap<TensorName, OutputTensor>> {
  const tensors = new Map<TensorName, OutputTensor>();
  for (const name of names) {
    const explainer = explainerOf(served);
    const numbers = name === 'expected_value' ? explainer.expected : await contributionsOf(explainer, rows);
    tensors.set(name, explanationTensor(served.model, name, numbers, explainer.outputs));
  }
  return tensors;
}

export function modelMetadata(name: string, served: ServedModel) {
  return { name, versions: [served.version], platform: platformOf(served), ...tensorsOf(served) };
}

/** In the protocol's words: framework and file format. */
function platformOf({ model }: ServedModel): string {
  return model.remote === undefined ? 'sklearn_joblib' : 'onnxruntime_onnx';
}
