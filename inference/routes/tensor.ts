// The tensors of the Open Inference Protocol (V2): request JSON to rows of numbers, answers to tensors. Pure.
import { HttpError } from '../errors.ts';
import { indexOfMax } from '../model/checks.ts';
import type { Model } from '../model/model.ts';
import type { ClassLabel } from '../model/model-data.ts';
import { MAX_ROWS, isRecord } from './models.ts';
import type { Rows } from './models.ts';

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly (ClassLabel | number)[];
}

export interface InferRequest extends Rows {
  readonly id?: string;
  /** Names of the outputs that are wanted. */
  readonly outputs: readonly string[];
}

const INTEGERS: Readonly<Record<string, number>> = { INT32: 2 ** 31, INT64: 2 ** 63 };
const DATATYPES = ['FP32', 'FP64', 'INT32', 'INT64'];
const OUTPUTS = ['predict', 'predict_proba'];

/** Reads the body of an infer call for a model that takes `width` numbers a row. Throws HttpError 400. */
export function parseInferRequest(body: Readonly<Record<string, unknown>>, width: number): InferRequest {
  const { id, inputs, outputs } = body;
  if (id !== undefined && typeof id !== 'string') throw bad('id must be a string');
  if (!Array.isArray(inputs) || inputs.length !== 1)
    throw bad('inputs must hold exactly one tensor, of shape [rows, features]');
  return { ...(id !== undefined && { id }), outputs: outputNames(outputs), ...rowsOf(inputs[0], width) };
}

function outputNames(outputs: unknown): readonly string[] {
  if (outputs === undefined || outputs === null) return ['predict'];
  if (!Array.isArray(outputs)) throw bad('outputs must be a list');
  if (outputs.length === 0) return ['predict'];
  const names = outputs.map((output: unknown) => (isRecord(output) ? output['name'] : undefined));
  return names.map((name) => {
    if (typeof name === 'string' && OUTPUTS.includes(name)) return name;
    throw bad(`an output must be one of ${OUTPUTS.join(', ')}`);
  });
}

function rowsOf(input: unknown, width: number): Rows {
  if (!isRecord(input)) throw bad('an input must be an object with name, shape, datatype and data');
  const { name, shape, datatype, data } = input;
  if (typeof name !== 'string') throw bad('the input has no name');
  if (typeof datatype !== 'string' || !DATATYPES.includes(datatype)) {
    throw bad(`the datatype must be one of ${DATATYPES.join(', ')}`);
  }
  const [count, columns] = shapeOf(shape);
  if (columns !== width) throw bad(`shape must be [rows, ${width}]: the model takes ${width} features`);
  if (count > MAX_ROWS) throw bad(`at most ${MAX_ROWS} rows in one request`);
  if (!Array.isArray(data)) throw bad('data must be a list');
  return { values: numbersOf(data, count, width, datatype), count };
}

function shapeOf(shape: unknown): readonly [number, number] {
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  const [count, columns, ...more] = isShape ? (shape as readonly number[]) : [];
  if (count === undefined || columns === undefined || more.length > 0) {
    throw bad('shape must be two whole numbers: [rows, features]');
  }
  return [count, columns];
}

/** Row-major numbers, flat or as a list of rows. */
function numbersOf(data: readonly unknown[], count: number, width: number, datatype: string): Float64Array {
  const nested = Array.isArray(data[0]);
  if (data.length !== (nested ? count : count * width)) throw bad(`data does not fit the shape [${count}, ${width}]`);
  const values = new Float64Array(count * width);
  let at = 0;
  for (const item of data) {
    const row: readonly unknown[] = nested && Array.isArray(item) ? item : [item];
    if (nested && row.length !== width) throw bad(`data does not fit the shape [${count}, ${width}]`);
    for (const value of row) {
      values[at] = numberOf(value, datatype);
      at += 1;
    }
  }
  return values;
}

function numberOf(value: unknown, datatype: string): number {
  if (typeof value !== 'number') throw bad('data must hold numbers only');
  const limit = INTEGERS[datatype];
  if (limit !== undefined && (!Number.isInteger(value) || value < -limit || value >= limit)) {
    throw bad(`${value} is no ${datatype}`);
  }
  return datatype === 'FP32' ? Math.fround(value) : value;
}

/** The wanted outputs, in the order asked for. `all`: probabilities, row-major. */
export function outputTensors(model: Model, all: Float64Array, { count, outputs }: InferRequest): Tensor[] {
  const width = model.classes.length;
  return outputs.map((name) => {
    if (name === 'predict_proba') return { name, shape: [count, width], datatype: 'FP64', data: [...all] };
    const data = Array.from({ length: count }, (_, row) => {
      const start = row * width;
      return model.classes[indexOfMax(all, start, start + width)] ?? '';
    });
    return { name, shape: [count, 1], datatype: labelType(model.classes), data };
  });
}

/** Datatype of the class labels. */
export function labelType(classes: readonly ClassLabel[]): string {
  if (classes.every((label) => typeof label === 'boolean')) return 'BOOL';
  if (classes.every((label) => typeof label === 'number')) {
    return classes.every((label) => Number.isInteger(label)) ? 'INT64' : 'FP64';
  }
  return 'BYTES';
}

function bad(message: string): HttpError {
  return new HttpError(400, message);
}
