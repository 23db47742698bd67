// The tensors of the Open Inference Protocol (V2): request JSON to rows of numbers, answers to tensors. Pure.
import { HttpError } from '../errors.ts';
import { OUTPUTS, type Model, type OutputName } from '../model/model.ts';
import type { ClassLabel } from '../model/model-data.ts';
import { MAX_ROWS, answersOf, isRecord } from './models.ts';
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
  readonly outputs: readonly OutputName[];
}

const INTEGERS: Readonly<Record<string, number>> = { INT32: 2 ** 31, INT64: 2 ** 63 };
const DATATYPES = ['FP32', 'FP64', 'INT32', 'INT64'];

/** Reads the body of an infer call for a model that takes `width` numbers a row. Throws HttpError 400. */
export function parseInferRequest(body: Readonly<Record<string, unknown>>, width: number): InferRequest {
  const { id, inputs, outputs } = body;
  if (id !== undefined && typeof id !== 'string') throw bad('id must be a string');
  if (!Array.isArray(inputs) || inputs.length !== 1)
    throw bad('inputs must hold exactly one tensor, of shape [rows, features]');
  return { ...(id !== undefined && { id }), outputs: outputNames(outputs), ...rowsOf(inputs[0], width) };
}

function outputNames(outputs: unknown): readonly OutputName[] {
  if (outputs === undefined || outputs === null) return ['predict'];
  if (!Array.isArray(outputs)) throw bad('outputs must be a list');
  if (outputs.length === 0) return ['predict'];
  const names = outputs.map((output: unknown) => (isRecord(output) ? output['name'] : undefined));
  return names.map((name) => {
    const known = OUTPUTS.find((output) => output === name);
    if (known !== undefined) return known;
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

/** An output as a tensor. `numbers`: what the method of that name answered for `count` rows. */
export function outputTensor(model: Model, name: OutputName, numbers: Float64Array, count: number): Tensor {
  if (name === 'predict') {
    return { name, shape: [count, 1], datatype: predictType(model), data: answersOf(model, numbers) };
  }
  return { name, shape: [count, widthOf(model, name)], datatype: 'FP64', data: [...numbers] };
}

/** Numbers of one row of an output. */
export function widthOf({ classes }: Model, name: OutputName): number {
  if (name === 'predict') return 1;
  if (name === 'predict_proba') return classes.length;
  return classes.length > 2 ? classes.length : 1;
}

/** Datatype of predict: labels, whole numbers of clusters and outliers, or values. */
export function predictType({ task, classes }: Model): string {
  if (task === 'classifier') return labelType(classes);
  return task === 'clusterer' || task === 'outlier' ? 'INT64' : 'FP64';
}

/** Datatype of the class labels. */
function labelType(classes: readonly ClassLabel[]): string {
  if (classes.every((label) => typeof label === 'boolean')) return 'BOOL';
  if (classes.every((label) => typeof label === 'number')) {
    return classes.every((label) => Number.isInteger(label)) ? 'INT64' : 'FP64';
  }
  return 'BYTES';
}

function bad(message: string): HttpError {
  return new HttpError(400, message);
}
