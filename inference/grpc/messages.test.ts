// Our codec against the one that @grpc/proto-loader makes of the published proto.
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readModelAddress, readModelInferRequest } from './requests.ts';
import type { ModelInferRequest } from './requests.ts';
import { writeFlag, writeModelInferResponse, writeModelMetadata, writeServerMetadata } from './responses.ts';
import { WireError } from './wire.ts';

const proto = loadSync(new URL('grpc_predict_v2.proto', import.meta.url).pathname, { longs: Number });
const service = proto['inference.GRPCInferenceService'] as ServiceDefinition;

function method(name: string): MethodDefinition<object, object> {
  const found = service[name];
  if (found === undefined) throw new Error(`the proto has no ${name}`);
  return found;
}

const infer = method('ModelInfer');
const text = fc.string({ unit: 'binary', maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const int64 = fc.integer({ min: -(2 ** 53), max: 2 ** 53 });

const contents = fc.record({
  boolContents: fc.array(fc.boolean()),
  intContents: fc.array(fc.integer()),
  int64Contents: fc.array(int64),
  uintContents: fc.array(fc.nat(2 ** 32 - 1)),
  uint64Contents: fc.array(fc.nat(2 ** 53)),
  fp32Contents: fc.array(fc.float()),
  fp64Contents: fc.array(fc.double()),
  bytesContents: fc.array(bytes),
});
const parameters = fc.dictionary(
  text,
  fc.oneof(fc.record({ boolParam: fc.boolean() }), fc.record({ int64Param: int64 })),
);
const request = fc.record({
  modelName: text,
  modelVersion: text,
  id: text,
  parameters,
  inputs: fc.array(fc.record({ name: text, datatype: text, shape: fc.array(int64), parameters, contents })),
  outputs: fc.array(fc.record({ name: text, parameters })),
  rawInputContents: fc.array(bytes),
});

/** Only the fields that hold something, by number. */
function contentsByField(given: typeof contents extends fc.Arbitrary<infer C> ? C : never) {
  const lists = [
    given.boolContents.map(Number),
    given.intContents,
    given.int64Contents,
    given.uintContents,
    given.uint64Contents,
    given.fp32Contents,
    given.fp64Contents,
    given.bytesContents.map((value) => new Uint8Array(value)),
  ];
  return new Map(lists.map((list, at) => [at + 1, list] as const).filter(([, list]) => list.length > 0));
}

function plain(read: ModelInferRequest): ModelInferRequest {
  const copy = (value: number | Uint8Array) => (typeof value === 'number' ? value : new Uint8Array(value));
  return {
    ...read,
    inputs: read.inputs.map((input) => ({
      ...input,
      contents: new Map([...input.contents].map(([field, values]) => [field, values.map(copy)])),
    })),
    rawInputContents: read.rawInputContents.map((value) => new Uint8Array(value)),
  };
}

describe('requests', () => {
  it('reads every ModelInferRequest as the published proto has it', () => {
    fc.assert(
      fc.property(request, (given) => {
        expect(plain(readModelInferRequest(infer.requestSerialize(given)))).toEqual({
          model: { name: given.modelName, version: given.modelVersion },
          id: given.id,
          inputs: given.inputs.map((input) => ({
            name: input.name,
            datatype: input.datatype,
            shape: input.shape,
            contents: contentsByField(input.contents),
          })),
          outputs: given.outputs.map(({ name }) => name),
          rawInputContents: given.rawInputContents.map((value) => new Uint8Array(value)),
        });
      }),
    );
  });

  it('reads numbers that are not packed, fields in pieces, and unknown fields', () => {
    // shape 1 and 2 one by one; int64_contents -1 and 5; field 99
    const contentsOf = (...written: number[]) => [0x2a, written.length, ...written];
    const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    const input = [0x18, 1, 0x18, 2, ...contentsOf(0x18, ...minusOne), ...contentsOf(0x1a, 1, 5), 0x98, 0x06, 7];

    const { inputs } = readModelInferRequest(Uint8Array.from([0x2a, input.length, ...input]));

    expect(inputs).toEqual([{ name: '', datatype: '', shape: [1, 2], contents: new Map([[3, [-1, 5]]]) }]);
  });

  it.each([
    ['a text cut short', [0x0a, 5, 65], /ends within a field/],
    ['a number cut short', [0x0a, 0x80], /ends within a number/],
    ['a number that never ends', [0x08, ...Array.from({ length: 10 }, () => 0xff), 1], /more than ten bytes/],
    ['a length beyond all bounds', [0x0a, ...Array.from({ length: 9 }, () => 0xff), 1], /ends within a field/],
    ['a group', [0x0b, 0x0c], /wire type 3/],
    ['field 0', [0x02, 0], /has no number/],
    ['a number as the name', [0x08, 1], /field 1 is not written as bytes/],
    ['a name that is not UTF-8', [0x0a, 1, 0xff], /field 1 is not UTF-8/],
    ['doubles of seven bytes', [0x2a, 11, 0x2a, 9, 0x3a, 7, 0, 0, 0, 0, 0, 0, 0], /field 7 is not written as double/],
    ['a float as a shape', [0x2a, 5, 0x1d, 0, 0, 0, 0], /field 3 is not written as bytes/],
  ])('refuses %s', (_, message, error) => {
    expect(() => readModelInferRequest(Uint8Array.from(message))).toThrow(WireError);
    expect(() => readModelInferRequest(Uint8Array.from(message))).toThrow(error);
  });

  it('refuses or reads any bytes, and does nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        try {
          readModelInferRequest(message);
          readModelAddress(message);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('responses', () => {
  const read = (name: string, message: Uint8Array) => method(name).responseDeserialize(Buffer.from(message));

  it('writes flags and metadata', () => {
    const tensor = { name: 'x', datatype: 'FP64', shape: [-1, 4] } as const;
    const model = { name: 'iris', versions: ['1', '2'], platform: 'p', inputs: [tensor], outputs: [tensor, tensor] };
    const server = { name: 'switchyard', version: '1', extensions: ['a', 'b'] };

    expect(read('ServerLive', writeFlag(true))).toEqual({ live: true });
    expect(read('ModelReady', writeFlag(false))).toEqual({});
    expect(read('ServerMetadata', writeServerMetadata(server))).toEqual(server);
    expect(read('ModelMetadata', writeModelMetadata(model))).toEqual(model);
  });

  it('writes typed contents', () => {
    const outputs = [
      { name: 'predict', shape: [2, 1], datatype: 'INT64', data: [-3, 2 ** 53] },
      { name: 'predict', shape: [2, 1], datatype: 'BYTES', data: ['a', 'ü'] },
      { name: 'predict', shape: [2, 1], datatype: 'BOOL', data: [true, false] },
      { name: 'predict_proba', shape: [1, 2], datatype: 'FP64', data: Float64Array.of(0.1, NaN) },
    ] as const;
    const response = { modelName: 'm', modelVersion: 'v', id: 'i', outputs, rawOutputContents: undefined };

    expect(read('ModelInfer', writeModelInferResponse(response))).toMatchObject({
      modelName: 'm',
      modelVersion: 'v',
      id: 'i',
      outputs: [
        { name: 'predict', datatype: 'INT64', shape: [2, 1], contents: { int64Contents: [-3, 2 ** 53] } },
        { contents: { bytesContents: [Buffer.from('a'), Buffer.from('ü')] } },
        { contents: { boolContents: [true, false] } },
        { name: 'predict_proba', shape: [1, 2], contents: { fp64Contents: [0.1, NaN] } },
      ],
    });
  });

  it('writes raw contents beside the outputs', () => {
    const outputs = [{ name: 'predict', shape: [1, 1], datatype: 'FP64', data: [1] }] as const;
    const rawOutputContents = [Uint8Array.of(1, 2), new Uint8Array()];
    const response = { modelName: 'm', modelVersion: '', id: '', outputs, rawOutputContents };

    expect(read('ModelInfer', writeModelInferResponse(response))).toEqual({
      modelName: 'm',
      outputs: [{ name: 'predict', datatype: 'FP64', shape: [1, 1] }],
      rawOutputContents: [Buffer.of(1, 2), Buffer.of()],
    });
  });
});
