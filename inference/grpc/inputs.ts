// The input tensors of a ModelInferRequest, from their typed or raw contents. Pure.
import { HttpError } from '../errors.ts';
import { checkedNumber, readBinary, textOfBytes } from '../tensors/datatype.ts';
import type { Elements } from '../tensors/datatype.ts';
import { type InputTensor, type TensorHead, headOf, shown } from '../tensors/tensor.ts';
import { CONTENTS_FIELDS } from './requests.ts';
import type { InferInput, ModelInferRequest } from './requests.ts';

/** Throws HttpError 400. */
export function inputsOf({ inputs, rawInputContents }: ModelInferRequest, maxRows: number): readonly InputTensor[] {
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
