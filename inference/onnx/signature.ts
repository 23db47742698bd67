// Which ONNX files can be asked for a row of a table, and how: what their inputs and outputs are to this server. Pure.
import { shown } from '../formats/byte-reader.ts';
import { ModelError } from '../model/errors.ts';
import type { ClassLabel } from '../model/model-data.ts';
import { type Graph, TYPE, type Value } from './graph.ts';

/** How a number is handed to the runtime. */
export type InputType = 'float32' | 'float64' | 'int32' | 'int64' | 'bool';

export interface Input {
  readonly name: string;
  readonly type: InputType;
  /** Dimensions of its shape: [rows] or [rows, columns]. */
  readonly rank: 1 | 2;
  readonly columns: number;
}

export interface Signature {
  /** One that takes the whole row, or one for each column. */
  readonly inputs: readonly Input[];
  /** Columns of a row. */
  readonly features: number;
  /** The file takes one row at a time. */
  readonly oneRow: boolean;
  /** Name of the output that holds the label of each row. */
  readonly label?: { readonly name: string; readonly isText: boolean };
  /** Name of the output that holds numbers: values, probabilities or scores. */
  readonly numbers?: string;
  /** Labels that stand in the file. */
  readonly classes: readonly ClassLabel[];
}

const INPUT_TYPES: ReadonlyMap<number | undefined, InputType> = new Map([
  [TYPE.float, 'float32'],
  [TYPE.double, 'float64'],
  [TYPE.int32, 'int32'],
  [TYPE.int64, 'int64'],
  [TYPE.bool, 'bool'],
]);
const LABEL_TYPES: readonly (number | undefined)[] = [TYPE.int32, TYPE.int64, TYPE.text];
const NUMBER_TYPES: readonly (number | undefined)[] = [TYPE.float, TYPE.double];

/** Throws ModelError that names the input or output, and says how to export the model. */
export function signatureOf({ inputs, outputs, classes }: Graph): Signature {
  const columns = inputs.map(inputOf);
  if (columns.length === 0) throw refused('it has no input');
  const several = columns.length > 1 ? columns.find((input) => input.columns !== 1) : undefined;
  if (several !== undefined) {
    throw refused(
      `input ${quoted(several)} has ${several.columns} columns beside other inputs: give it one input of shape [rows, features], or one for each column`,
    );
  }
  return {
    inputs: columns,
    features: columns.reduce((sum, input) => sum + input.columns, 0),
    oneRow: inputs.some(isOneRow),
    ...outputsOf(outputs),
    classes,
  };
}

function inputOf(value: Value): Input {
  const { name, shape } = value;
  const type = INPUT_TYPES.get(value.type);
  if (value.type === TYPE.text) {
    throw refused(`input ${quoted(value)} takes text: encode texts before the model, for example in \`preprocessing\``);
  }
  if (type === undefined) throw refused(`input ${quoted(value)} is no tensor of float, double, int32, int64 or bool`);
  const rank = shape?.length;
  if (rank !== 1 && rank !== 2) throw refused(`input ${quoted(value)} must have the shape [rows, features]`);
  const columns = rank === 1 ? 1 : shape?.[1];
  if (columns === undefined) {
    throw refused(
      `input ${quoted(value)} does not say how many features it has: export it as [None, number of features]`,
    );
  }
  return { name, type, rank, columns };
}

function isOneRow(value: Value): boolean {
  const rows = value.shape?.[0];
  if (rows === undefined || rows === 1) return rows === 1;
  throw refused(`input ${quoted(value)} takes exactly ${rows} rows: export it with a free first dimension`);
}

function outputsOf(outputs: readonly Value[]): Pick<Signature, 'label' | 'numbers'> {
  const odd = outputs.find(({ type }) => type === undefined);
  if (odd !== undefined) {
    throw refused(
      `output ${quoted(odd)} is a sequence or map: convert with skl2onnx and options={'zipmap': False} (onnxmltools: zipmap=False)`,
    );
  }
  const label = outputs.find((value) => LABEL_TYPES.includes(value.type) && (value.shape?.[1] ?? 1) === 1);
  const numbers = outputs.find((value) => NUMBER_TYPES.includes(value.type));
  const known = [label, numbers].filter((value) => value !== undefined);
  if (known.length === 0 || known.length < outputs.length) {
    throw refused(
      `its outputs are ${outputs.map(quoted).join(', ') || 'none'}: it must have one output of numbers, or label and probabilities`,
    );
  }
  return {
    ...(label && { label: { name: label.name, isText: label.type === TYPE.text } }),
    ...(numbers && { numbers: numbers.name }),
  };
}

function quoted({ name }: { readonly name: string }): string {
  return JSON.stringify(shown(name));
}

function refused(why: string): ModelError {
  return new ModelError('UnsupportedModel', `this ONNX file cannot be served: ${why}`);
}
