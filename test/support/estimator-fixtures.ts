// The checked-in models of test/fixtures/estimators, one per case and version of its library, with the answers that the library gave.
import { readFileSync, readdirSync } from 'node:fs';
import { cellOf } from '../../inference/features/cell.ts';
import { type Model, type OutputName, modelOf, parseModel } from '../../inference/model/model.ts';
import type { ClassLabel } from '../../inference/model/model-data.ts';

const CASES = new URL('../fixtures/estimators/', import.meta.url);
/** First letters of the folders of ONNX files. */
const ONNX = 'onnx-';
const LIMITS = { maxBytes: 64 * 2 ** 20 };

type Cell = number | string | boolean | null;

/** A golden file as test/fixtures/train/estimators.py writes it. */
export interface GoldenCase {
  /** Folder and version, such as "ExtraTreesClassifier/1.9.1". */
  readonly name: string;
  readonly library: string;
  readonly version: string;
  readonly class: string;
  /** Largest relative difference allowed; 0: every bit is the same. Or one for each method, for the others 0. */
  readonly tolerance: number | Readonly<Partial<Record<OutputName, number>>>;
  readonly classes: readonly ClassLabel[];
  /** null stands for a missing value. */
  readonly inputs: readonly (readonly Cell[])[];
  readonly predict: readonly (ClassLabel | readonly [number])[];
  readonly predict_proba?: readonly (readonly number[])[];
  readonly decision_function?: readonly (number | readonly number[])[];
  readonly bytes: Uint8Array;
  readonly file: string;
}

/** Those of the models that are evaluated on the thread that answers. */
export function goldenCases(): GoldenCase[] {
  return casesOf((folder) => !folder.startsWith(ONNX));
}

/** Those of ONNX files, which the ONNX Runtime evaluates in a thread of its own. */
export function onnxCases(): GoldenCase[] {
  return casesOf((folder) => folder.startsWith(ONNX));
}

function casesOf(isWanted: (folder: string) => boolean): GoldenCase[] {
  return readdirSync(CASES)
    .filter(isWanted)
    .flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, CASES))
        .filter((file) => file.endsWith('.golden.json'))
        .map((file) => readCase(folder, file)),
    );
}

/** One of them, by its name. */
export function goldenCase(name: string): GoldenCase {
  const [folder = '', version = ''] = name.split('/');
  return readCase(folder, `${version}.golden.json`);
}

function readCase(folder: string, file: string): GoldenCase {
  const golden = JSON.parse(readFileSync(new URL(`${folder}/${file}`, CASES), 'utf8')) as GoldenCase;
  const bytes = new Uint8Array(readFileSync(new URL(`${folder}/${golden.file}`, CASES)));
  return { ...golden, name: `${folder}/${golden.version}`, bytes };
}

export function modelOfCase({ file, bytes }: GoldenCase): Model {
  return modelOf(parseModel(file, bytes, LIMITS));
}

/** Golden rows as the model takes them. */
export function rowsOfCase({ inputs }: GoldenCase, model: Model): Float64Array {
  return Float64Array.from(inputs.flatMap((row) => row.map((cell, column) => cellOf(model, column, cell) ?? Infinity)));
}

/** What the library answered by one method, as numbers: labels are the index of their class. */
export function expectedOf(golden: GoldenCase, output: OutputName): readonly number[] | undefined {
  const answers: readonly unknown[] | undefined = golden[output];
  if (output !== 'predict' || golden.classes.length === 0) return answers?.flat() as number[] | undefined;
  return answers?.map((label) => golden.classes.indexOf(label as ClassLabel));
}

/** Largest relative difference that is allowed for a method. */
export function toleranceOf({ tolerance }: GoldenCase, output: OutputName): number {
  return typeof tolerance === 'number' ? tolerance : (tolerance[output] ?? 0);
}

/** Places where two answers differ by more than `tolerance`, relative to the larger of them and 1e-3 of the largest of all; at 0, by a single bit. */
export function differences(found: Float64Array, expected: readonly number[], tolerance: number): string[] {
  if (found.length !== expected.length) return [`${found.length} numbers instead of ${expected.length}`];
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) * 1e-3;
  return expected.flatMap((value, at) => {
    const mine = found[at] ?? NaN;
    const allowed = tolerance * Math.max(Math.abs(value), scale);
    const near = tolerance === 0 ? mine === value : Math.abs(mine - value) <= allowed;
    return near ? [] : [`${at}: ${mine} instead of ${value}`];
  });
}
