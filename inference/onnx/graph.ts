// What an ONNX file says of its inputs and outputs, read before native code sees the file. Field numbers are those of onnx.proto
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Weights are not looked at. Pure.
import { type Field, WireError, fieldsOf } from '../grpc/wire.ts';
import { ModelError } from '../model/errors.ts';
import type { ClassLabel } from '../model/model-data.ts';

/** TensorProto.DataType. */
export const TYPE = { float: 1, int32: 6, int64: 7, text: 8, bool: 9, double: 11 } as const;

export interface Value {
  readonly name: string;
  /** Absent: no tensor, but a sequence or map of them. */
  readonly type?: number;
  /** undefined for a dimension without a fixed size; absent where the file does not give the shape. */
  readonly shape?: readonly (number | undefined)[];
}

export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** `classes_` of the last classifier in the file, where it has one. */
  readonly classes: readonly ClassLabel[];
}

const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, type: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, tensor: 5, ints: 8, strings: 9 } as const;
const TENSOR = { type: 2, texts: 6, integers: 7, name: 8, raw: 9, external: 13 } as const;
const CLASS_LABELS = /^classlabels_(strings|ints|int64s)$/;
const MOST_CLASSES = 100_000;

/** Reads the declarations of a file. Throws ModelError. */
export function readGraph(file: Uint8Array): Graph {
  try {
    const [graph] = all(file, MODEL_GRAPH);
    if (graph === undefined) throw new WireError('it has no graph');
    return graphOf(graph.bytes());
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new ModelError('LoadFailed', `the ONNX file is damaged (${cause.message}), upload it again`, { cause });
  }
}

function graphOf(graph: Uint8Array): Graph {
  const initializers = new Map<string, Uint8Array>();
  for (const field of all(graph, GRAPH.initializer)) {
    const tensor = field.bytes();
    initializers.set(textIn(tensor, TENSOR.name), checkedInside(tensor));
  }
  const values = (number: number) => all(graph, number).map((field) => valueOf(field.bytes()));
  let classes: readonly ClassLabel[] = [];
  for (const field of all(graph, GRAPH.node)) {
    const found = classesOf(field.bytes(), initializers);
    if (found.length > 0) classes = found;
  }
  return {
    // older files list their weights among the inputs
    inputs: values(GRAPH.input).filter(({ name }) => !initializers.has(name)),
    outputs: values(GRAPH.output),
    classes,
  };
}

/** Weights in other files would be read from the server's disk. */
function checkedInside(tensor: Uint8Array): Uint8Array {
  if (all(tensor, TENSOR.external).length === 0) return tensor;
  throw new ModelError(
    'UnsupportedModel',
    'the ONNX file keeps weights in another file: save it with onnx.save_model(..., save_as_external_data=False)',
  );
}

function valueOf(info: Uint8Array): Value {
  const name = textIn(info, 1);
  const [type] = all(info, 2);
  const [tensor] = type === undefined ? [] : all(type.bytes(), 1);
  if (tensor === undefined) return { name };
  const [shape] = all(tensor.bytes(), 2);
  const elements = all(tensor.bytes(), 1)[0]?.integer('int32') ?? 0;
  if (shape === undefined) return { name, type: elements };
  const dimensions = all(shape.bytes(), 1).map((dimension) => {
    const size = all(dimension.bytes(), 1)[0]?.integer('int64') ?? 0;
    return size > 0 ? size : undefined;
  });
  return { name, type: elements, shape: dimensions };
}

/** The labels of a classifier, or those that a node picks from a list of constants; none for other nodes. */
function classesOf(node: Uint8Array, initializers: ReadonlyMap<string, Uint8Array>): readonly ClassLabel[] {
  for (const attribute of all(node, NODE.attribute)) {
    const labels = labelsOf(attribute.bytes());
    if (labels.length > 0) return labels;
  }
  if (textIn(node, NODE.type) !== 'ArrayFeatureExtractor') return [];
  const constants = initializers.get(textIn(node, NODE.input));
  return constants === undefined ? [] : constantsOf(constants);
}

function labelsOf(attribute: Uint8Array): readonly ClassLabel[] {
  const labels: ClassLabel[] = [];
  let isLabels = false;
  for (const field of fieldsOf(attribute)) {
    if (field.number === ATTRIBUTE.name) isLabels = CLASS_LABELS.test(field.text());
    else if (field.number === ATTRIBUTE.tensor) checkedInside(field.bytes());
    // the lists of a tree have millions of numbers, and nothing else comes after a list
    else if (!isLabels || labels.length > MOST_CLASSES) return [];
    else if (field.number === ATTRIBUTE.strings) labels.push(field.text());
    else if (field.number === ATTRIBUTE.ints) labels.push(...field.numbers('int64'));
    else break;
  }
  return labels;
}

function constantsOf(tensor: Uint8Array): readonly ClassLabel[] {
  const type = all(tensor, TENSOR.type)[0]?.integer('int32');
  if (type === TYPE.text) return all(tensor, TENSOR.texts).map((field) => field.text());
  if (type !== TYPE.int64) return [];
  const raw = all(tensor, TENSOR.raw)[0]?.bytes();
  if (raw === undefined) return all(tensor, TENSOR.integers).flatMap((field) => field.numbers('int64'));
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length >> 3 }, (_, at) => Number(view.getBigInt64(at * 8, true)));
}

function all(message: Uint8Array, number: number): Field[] {
  return [...fieldsOf(message)].filter((field) => field.number === number);
}

/** The first text of that number, else ''. */
function textIn(message: Uint8Array, number: number): string {
  return all(message, number)[0]?.text() ?? '';
}
