// What a model must satisfy before it may answer: it fits its own metadata, it gives the golden answers, and it can take the active model's place.
import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { cellOf } from '../features/cell.ts';
import { LoadError } from '../load-error.ts';
import type { Golden, Manifest } from './manifest.ts';
import { type Model, ModelInputError, type OutputName, methodOf } from './model.ts';
import type { ClassLabel } from './model-data.ts';

const ROWS_AT_ONCE = 20;

/** What must not differ between a model and its successor. */
export interface Schema {
  readonly features: readonly string[];
  readonly width: number;
  readonly classes: readonly ClassLabel[];
  /** What it answers with: its task and the names of its outputs. */
  readonly outputs: readonly string[];
}

/** The model file has the hash that metadata.json gives. Throws ChecksumMismatch. */
export function checkModelHash({ sha256 }: Manifest, found: string | undefined): void {
  if (sha256 === undefined || found === sha256.toLowerCase()) return;
  throw new LoadError('ChecksumMismatch', `metadata.json says sha256 ${sha256} of the model file, it has ${found}`);
}

/** metadata.json names the columns that the model was trained on. Throws ArtifactInvalid. */
export function checkFeatures({ features, declared }: Manifest, model: Model): void {
  if (!declared || features.length === 0) return;
  if (features.length !== model.features) {
    throw unfit(`metadata.json lists ${features.length} features, the model takes ${model.features}`);
  }
  const { featureNames } = model;
  const differs = featureNames?.findIndex((name, at) => name !== features[at]) ?? -1;
  if (differs === -1) return;
  throw unfit(
    `feature ${differs + 1} is ${quoted(features[differs])} in metadata.json and ${quoted(featureNames?.[differs])} in the model`,
  );
}

/** The golden rows get their golden answers; requests get their turn in between. Throws GoldenMismatch. */
export async function checkGolden(golden: Golden | undefined, model: Model): Promise<void> {
  if (golden === undefined) return;
  const { inputs, outputs } = golden;
  if (inputs.length !== outputs.length) {
    throw mismatch(`there are ${inputs.length} inputs and ${outputs.length} outputs`);
  }
  for (const [at, input] of inputs.entries()) {
    if (input.length !== model.features) {
      throw mismatch(`input ${at + 1} has ${input.length} numbers, the model takes ${model.features}`);
    }
    await checkRow({ at, input: rowOf(input, at, model), expected: outputs[at], tolerance: golden.tolerance }, model);
    if (at % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await yieldToRequests();
  }
}

function rowOf(input: Golden['inputs'][number], at: number, model: Model): Float64Array {
  return Float64Array.from(input, (value, column) => {
    const cell = cellOf(model, column, value);
    if (cell !== undefined) return cell;
    const wanted = model.texts.has(column) ? 'text' : 'a number';
    throw mismatch(`input ${at + 1} has ${quoted(value)} where the model takes ${wanted}`);
  });
}

interface GoldenRow {
  readonly at: number;
  readonly input: Float64Array;
  readonly expected: readonly number[] | ClassLabel | undefined;
  readonly tolerance: number;
}

async function checkRow(row: GoldenRow, model: Model): Promise<void> {
  const { at, expected, tolerance } = row;
  if (expected === undefined || typeof expected !== 'object') return checkPrediction(row, expected, model);
  if (model.predictProba === undefined) {
    throw mismatch(`row ${at + 1} has probabilities, ${model.modelType} has none: give the prediction alone`);
  }
  const found = await answerTo(row, model, 'predict_proba');
  if (expected.length !== found.length) {
    throw mismatch(`row ${at + 1} has ${expected.length} probabilities, the model has ${found.length} classes`);
  }
  const off = expected.findIndex((value, column) => !(Math.abs(value - (found[column] ?? NaN)) <= tolerance));
  if (off === -1) return;
  throw mismatch(
    `row ${at + 1}, class ${off + 1}: expected ${expected[off] ?? NaN}, the model says ${found[off] ?? NaN}`,
  );
}

async function checkPrediction(row: GoldenRow, expected: ClassLabel | undefined, model: Model): Promise<void> {
  const { at, tolerance } = row;
  const { task, classes } = model;
  const number = (await answerTo(row, model, 'predict'))[0] ?? NaN;
  const found = task === 'classifier' ? classes[number] : number;
  const near = typeof expected === 'number' && typeof found === 'number' && Math.abs(expected - found) <= tolerance;
  if (found !== expected && !near) {
    throw mismatch(`row ${at + 1} should be ${quoted(expected)}, the model says ${quoted(found)}`);
  }
}

async function answerTo({ at, input }: GoldenRow, model: Model, output: OutputName): Promise<Float64Array> {
  try {
    if (model.remote !== undefined) return await model.remote.run(output, input, 1);
    return methodOf(model, output)?.(input, 1) ?? new Float64Array();
  } catch (error) {
    if (!(error instanceof ModelInputError)) throw error;
    throw mismatch(`input ${at + 1} is refused (${error.message})`);
  }
}

/** Clients of the active model can use the next one: same features in the same order, same answers. Throws SchemaIncompatible. */
export function checkCompatible(next: Schema, active: Schema): void {
  if (next.width !== active.width) {
    throw incompatible(`The model takes ${next.width} features, the active model takes ${active.width}`);
  }
  const feature = firstDifference(next.features, active.features);
  if (feature !== -1) {
    const [is, was] = [quoted(next.features[feature]), quoted(active.features[feature])];
    throw incompatible(`Feature ${feature + 1} is ${is}, in the active model it is ${was}`);
  }
  const output = firstDifference(next.outputs, active.outputs);
  if (output !== -1) {
    throw incompatible(
      `The model answers with ${next.outputs.join(', ')}, the active model with ${active.outputs.join(', ')}`,
    );
  }
  const label = firstDifference(next.classes, active.classes);
  if (label === -1) return;
  const [is, was] = [quoted(next.classes[label]), quoted(active.classes[label])];
  throw incompatible(`Class ${label + 1} is ${is}, in the active model it is ${was}`);
}

/** Position of the first difference, or -1. */
function firstDifference(a: readonly ClassLabel[], b: readonly ClassLabel[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) if (a[at] !== b[at]) return at;
  return -1;
}

function quoted(value: ClassLabel | null | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80);
}

/** No other model before it would make it fit. */
function unfit(why: string): LoadError {
  return new LoadError('ArtifactInvalid', `The artifact is not usable: ${why}`);
}

function incompatible(why: string): LoadError {
  const fix =
    'serve it as a variant of its own, or set allowSchemaChange (of a server alone: ALLOW_SCHEMA_CHANGE=true)';
  return new LoadError('SchemaIncompatible', `${why}: ${fix}`);
}

function mismatch(why: string): LoadError {
  return new LoadError('GoldenMismatch', `The model does not give the golden answers: ${why}`);
}
