// The requests of inference.GRPCInferenceService, by the field numbers of grpc_predict_v2.proto. Parameters are let through unread. Pure.
import type { Datatype } from '../tensors/datatype.ts';
import { type Field, type NumberKind, fieldsOf } from './wire.ts';

export interface ModelAddress {
  readonly name: string;
  /** Empty: whatever version is loaded. */
  readonly version: string;
}

/** InferTensorContents: values by field number, texts as UTF-8. */
export type Contents = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

export interface InferInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly contents: Contents;
}

export interface ModelInferRequest {
  readonly model: ModelAddress;
  readonly id: string;
  readonly inputs: readonly InferInput[];
  /** Names of the wanted outputs. */
  readonly outputs: readonly string[];
  readonly rawInputContents: readonly Uint8Array[];
}

/** Which field of InferTensorContents holds the values of a datatype; FP16 has none and comes raw. */
export const CONTENTS_FIELDS: Readonly<Record<Datatype, number | undefined>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP16: undefined,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};

/** How the values of those fields are written; the texts of field 8 are bytes. */
const KINDS: Readonly<Record<number, NumberKind>> = {
  1: 'bool',
  2: 'int32',
  3: 'int64',
  4: 'uint32',
  5: 'uint64',
  6: 'float',
  7: 'double',
};

/** ModelReadyRequest, ModelMetadataRequest. Throws WireError. */
export function readModelAddress(message: Uint8Array): ModelAddress {
  const [name = '', version = ''] = textsOf(message, 2);
  return { name, version };
}

/** Throws WireError. */
export function readModelInferRequest(message: Uint8Array): ModelInferRequest {
  const [name = '', version = '', id = ''] = textsOf(message, 3);
  const inputs: InferInput[] = [];
  const outputs: string[] = [];
  const rawInputContents: Uint8Array[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === 5) inputs.push(readInput(field.bytes()));
    else if (field.number === 6) outputs.push(textsOf(field.bytes(), 1)[0] ?? '');
    else if (field.number === 7) rawInputContents.push(field.bytes());
  }
  return { model: { name, version }, id, inputs, outputs, rawInputContents };
}

function readInput(message: Uint8Array): InferInput {
  const [name = '', datatype = ''] = textsOf(message, 2);
  const shape: number[] = [];
  const contents = new Map<number, (number | Uint8Array)[]>();
  for (const field of fieldsOf(message)) {
    if (field.number === 3) for (const size of field.numbers('int64')) shape.push(size);
    if (field.number === 5) readContents(field.bytes(), contents);
  }
  return { name, datatype, shape, contents };
}

/** A repeated field may come in any number of pieces. */
function readContents(message: Uint8Array, into: Map<number, (number | Uint8Array)[]>): void {
  for (const field of fieldsOf(message)) {
    const values = into.get(field.number) ?? [];
    into.set(field.number, values);
    for (const value of valuesOf(field)) values.push(value);
  }
}

function valuesOf(field: Field): readonly (number | Uint8Array)[] {
  if (field.number === 8) return [field.bytes()];
  const kind = KINDS[field.number];
  return kind === undefined ? [] : field.numbers(kind);
}

/** The texts of the fields 1 to `count`. */
function textsOf(message: Uint8Array, count: number): readonly string[] {
  const texts = Array.from({ length: count }, () => '');
  for (const field of fieldsOf(message)) if (field.number <= count) texts[field.number - 1] = field.text();
  return texts;
}
