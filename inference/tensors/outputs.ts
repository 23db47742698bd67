// A model's answers as tensors of the Open Inference Protocol, and what is told of a model's tensors beforehand. Pure.
import { HttpError } from '../errors.ts';
import type { ClassLabel } from '../model/model-data.ts';
import { type Model, OUTPUTS, type OutputName, outputsOf } from '../model/model.ts';
import type { ServedModel } from '../model/served.ts';
import type { Datatype } from './datatype.ts';

/** Names of what explains an answer: for each row and feature a number, or one a class; and the numbers from which they add up. */
export const EXPLANATIONS = ['contributions', 'expected_value'] as const;
export type ExplanationName = (typeof EXPLANATIONS)[number];
export type TensorName = OutputName | ExplanationName;

const TENSOR_NAMES: readonly TensorName[] = [...OUTPUTS, ...EXPLANATIONS];

export interface OutputTensor {
  readonly name: TensorName;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  /** Row-major. */
  readonly data: Float64Array | readonly ClassLabel[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1: any number of rows. */
  readonly shape: readonly number[];
}

/** Throws HttpError 400. */
export function outputName(name: unknown): TensorName {
  const known = TENSOR_NAMES.find((output) => output === name);
  if (known === undefined) throw new HttpError(400, `an output must be one of ${TENSOR_NAMES.join(', ')}`);
  return known;
}

/** An output as a tensor. `numbers`: what the method of that name answered for `count` rows. */
export function outputTensor(model: Model, name: OutputName, numbers: Float64Array, count: number): OutputTensor {
  const shape = [count, widthOf(model, name)];
  if (name === 'predict') return { name, shape, datatype: predictType(model), data: answersOf(model, numbers) };
  return { name, shape, datatype: 'FP64', data: numbers };
}

/** An explanation as a tensor: `expected_value` has no rows. `numbers`: the contributions, or the expected values. */
export function explanationTensor(
  { features }: Model,
  name: ExplanationName,
  numbers: Float64Array,
  outputs: number,
): OutputTensor {
  if (name === 'expected_value') return { name, shape: [outputs], datatype: 'FP64', data: numbers };
  const row = outputs === 1 ? [features] : [features, outputs];
  return { name, shape: [numbers.length / (features * outputs), ...row], datatype: 'FP64', data: numbers };
}

export function isExplanation(name: TensorName): name is ExplanationName {
  return EXPLANATIONS.some((explanation) => explanation === name);
}

/** What predict says, as the model's owner knows it: labels of a classifier, else the numbers. */
export function answersOf({ task, classes }: Model, predictions: Float64Array): Float64Array | readonly ClassLabel[] {
  if (task !== 'classifier') return predictions;
  return Array.from(predictions, (index) => classes[index] ?? '');
}

/** Numbers of one row of an output. */
function widthOf({ classes }: Model, name: OutputName): number {
  if (name === 'predict') return 1;
  if (name === 'predict_proba') return classes.length;
  return classes.length > 2 ? classes.length : 1;
}

/** Datatype of predict: labels, whole numbers of clusters and outliers, or values. */
function predictType({ task, classes }: Model): Datatype {
  if (task === 'classifier') return labelType(classes);
  return task === 'clusterer' || task === 'outlier' ? 'INT64' : 'FP64';
}

function labelType(classes: readonly ClassLabel[]): Datatype {
  if (classes.every((label) => typeof label === 'boolean')) return 'BOOL';
  if (classes.every((label) => typeof label === 'number')) {
    return classes.every((label) => Number.isInteger(label)) ? 'INT64' : 'FP64';
  }
  return 'BYTES';
}

/** What a model takes and answers: one table, or the columns that it reads where some of them take text. */
export function tensorsOf({ model, schema }: Pick<ServedModel, 'model' | 'schema'>) {
  return { inputs: inputsOf(model, schema.features), outputs: outputsMetadata(model) };
}

function inputsOf({ features, texts, unused }: Model, names: readonly string[]): readonly TensorMetadata[] {
  if (texts.size === 0 || names.length !== features)
    return [{ name: 'input', datatype: 'FP64', shape: [-1, features] }];
  return names.flatMap((name, column) => {
    if (unused?.has(column) === true) return [];
    return [{ name, datatype: texts.has(column) ? 'BYTES' : 'FP64', shape: [-1, 1] }];
  });
}

function outputsMetadata(model: Model): readonly TensorMetadata[] {
  return outputsOf(model).map((name) => ({
    name,
    datatype: name === 'predict' ? predictType(model) : 'FP64',
    shape: [-1, widthOf(model, name)],
  }));
}
