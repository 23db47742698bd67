// Builds ONNX files, right and wrong ones, in the words of onnx.proto.

/** TensorProto.DataType. */
export const FLOAT = 1;
export const INT64 = 7;
export const TEXT = 8;

type Bytes = Uint8Array;

/** A field of a message: a whole number, a text, or bytes. */
export function field(number: number, value: number | string | Bytes): Bytes {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/** ValueInfoProto of a tensor; a dimension without a size is null. */
export function tensorInfo(name: string, type: number, shape: readonly (number | null)[]): Bytes {
  const dimensions = shape.map((size) => field(1, size === null ? field(2, 'N') : field(1, size)));
  const tensor = Buffer.concat([field(1, type), field(2, Buffer.concat(dimensions))]);
  return Buffer.concat([field(1, name), field(2, field(1, tensor))]);
}

/** ValueInfoProto of a sequence of maps, as ZipMap makes it. */
export function sequenceInfo(name: string): Bytes {
  return Buffer.concat([field(1, name), field(2, field(4, new Uint8Array()))]);
}

export function node(type: string, inputs: readonly string[], output: string): Bytes {
  return Buffer.concat([...inputs.map((input) => field(1, input)), field(2, output), field(4, type)]);
}

/** TensorProto with numbers inside. */
export function weights(name: string, shape: readonly number[], values: Float32Array): Bytes {
  const dimensions = shape.map((size) => field(1, size));
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([...dimensions, field(2, FLOAT), field(8, name), field(9, raw)]);
}

export interface Parts {
  readonly inputs: readonly Bytes[];
  readonly outputs: readonly Bytes[];
  readonly nodes?: readonly Bytes[];
  readonly weights?: readonly Bytes[];
}

export function anOnnxFile({ inputs, outputs, nodes = [], weights = [] }: Parts): Uint8Array {
  const graph = Buffer.concat([
    ...nodes.map((bytes) => field(1, bytes)),
    field(2, 'graph'),
    ...weights.map((bytes) => field(5, bytes)),
    ...inputs.map((bytes) => field(11, bytes)),
    ...outputs.map((bytes) => field(12, bytes)),
  ]);
  const opset = Buffer.concat([field(1, ''), field(2, 17)]);
  return Buffer.concat([field(1, 8), field(7, graph), field(8, opset)]);
}

/** Answers the sum of `features` numbers times `scale`. `padding`: numbers of the weights beside, which make the file heavy. */
export function aSum(features: number, scale: number, padding = 1): Uint8Array {
  return anOnnxFile({
    inputs: [tensorInfo('x', FLOAT, [null, features])],
    outputs: [tensorInfo('y', FLOAT, [null, 1])],
    nodes: [node('MatMul', ['x', 'w'], 'wide'), node('MatMul', ['wide', 'v'], 'y')],
    weights: [
      weights('w', [features, padding], new Float32Array(features * padding).fill(1)),
      weights(
        'v',
        [padding, 1],
        Float32Array.from({ length: padding }, (_, at) => (at === 0 ? scale : 0)),
      ),
    ],
  });
}
