import { describe, expect, it } from 'vitest';
import { dividedBody, readInferRequest, writeInferAnswer } from './infer-json.ts';
import { BinaryTail } from './tensor.ts';

const input = { name: 'x', shape: [1, 2], datatype: 'FP64', data: [1, 2] };
const tail = (...bytes: number[]) => new BinaryTail(Uint8Array.from(bytes));
const read = (request: object, behind = tail()) => readInferRequest({ inputs: [input], ...request }, behind, 10);

describe('a request', () => {
  it('asks for predict, as JSON, unless it says otherwise', () => {
    expect(read({}).outputs).toEqual([{ name: 'predict', binary: false }]);
    expect(read({ outputs: [] }).outputs).toEqual([{ name: 'predict', binary: false }]);
    expect(read({ id: null, outputs: null, parameters: null })).not.toHaveProperty('id');
  });

  it('chooses outputs, and which of them come as binary data', () => {
    const outputs = [{ name: 'predict_proba', parameters: { binary_data: false } }, { name: 'predict' }];

    expect(read({ outputs, parameters: { binary_data_output: true } }).outputs).toEqual([
      { name: 'predict_proba', binary: false },
      { name: 'predict', binary: true },
    ]);
  });

  it('carries tensors as binary data in the order of the inputs', () => {
    const of = (name: string, size: number) => ({
      name,
      shape: [size],
      datatype: 'UINT8',
      parameters: { binary_data_size: size, content_type: 'np' },
    });

    const { inputs } = read({ inputs: [of('a', 2), { ...input, name: 'b' }, of('c', 1)] }, tail(1, 2, 3));

    expect(inputs.map(({ name, elements }) => [name, [...elements]])).toEqual([
      ['a', [1, 2]],
      ['b', [1, 2]],
      ['c', [3]],
    ]);
  });

  it.each([
    ['an id that is no text', { id: 5 }, 'id must be a string'],
    ['no inputs', { inputs: undefined }, 'inputs must be a list'],
    ['an input that is no object', { inputs: [1] }, 'an input must be an object'],
    ['an input without a name', { inputs: [{ ...input, name: undefined }] }, 'an input has no name'],
    ['three dimensions', { inputs: [{ ...input, shape: [1, 2, 1] }] }, 'one or two whole numbers'],
    ['a negative size', { inputs: [{ ...input, shape: [-1, 2] }] }, 'one or two whole numbers'],
    ['a shape that is text', { inputs: [{ ...input, shape: '12' }] }, 'one or two whole numbers'],
    ['too many rows', { inputs: [{ ...input, shape: [11, 2] }] }, 'at most 10 rows'],
    ['more columns than data', { inputs: [{ ...input, shape: [1, 2 ** 53 - 1] }] }, 'does not fit the shape'],
    ['rows of different lengths', { inputs: [{ ...input, shape: [2, 1], data: [[1], [2, 3]] }] }, 'does not fit'],
    ['data deeper than the shape', { inputs: [{ ...input, data: [[[1], [2]]] }] }, 'numbers only'],
    ['data that is no list', { inputs: [{ ...input, data: 'AQ==' }] }, 'must be a list'],
    ['data twice', { inputs: [{ ...input, parameters: { binary_data_size: 0 } }] }, 'send one of them'],
    ['parameters that are a list', { parameters: [] }, 'parameters must be an object'],
    ['an unknown output', { outputs: [{ name: 'explain' }] }, 'one of predict, predict_proba, decision_function'],
    ['an output twice', { outputs: [{ name: 'predict' }, { name: 'predict' }] }, 'asked for twice'],
    ['outputs that are no list', { outputs: 'predict' }, 'outputs must be a list'],
    ['classification', { outputs: [{ name: 'predict', parameters: { classification: 2 } }] }, 'not supported'],
    ['a flag that is text', { parameters: { binary_data_output: 'true' } }, 'must be true or false'],
  ])('is refused with %s', (_, request, message) => {
    expect(() => read(request)).toThrow(message);
  });

  it.each([
    ['more than there is', 9, 'the body ends before the 9 bytes'],
    ['less than the shape says', 7, '7 bytes of data are not 1 values of FP64'],
    ['a size that is text', '8', 'must be a number of bytes'],
    ['a negative size', -8, 'must be a number of bytes'],
  ])('is refused with binary data of %s', (_, size, message) => {
    const binary = { name: 'x', shape: [1], datatype: 'FP64', parameters: { binary_data_size: size } };

    expect(() => read({ inputs: [binary] }, tail(0, 0, 0, 0, 0, 0, 0, 0))).toThrow(message);
  });

  it('is refused with bytes that no tensor takes', () => {
    expect(() => read({}, tail(1, 2))).toThrow('2 bytes of binary data belong to no input');
  });
});

describe('a body', () => {
  const body = Uint8Array.from(Buffer.from('{}12'));

  it('is all JSON without the header, else JSON of that length', () => {
    expect(Buffer.from(dividedBody(body, undefined)[0]).toString()).toBe('{}12');
    const [json, behind] = dividedBody(body, '2');
    expect([Buffer.from(json).toString(), Buffer.from(behind.take(2)).toString()]).toEqual(['{}', '12']);
  });

  it.each(['5', '-1', '2.0', 'two', '', '9999999999999999'])('is refused with the header %j', (header) => {
    expect(() => dividedBody(body, header)).toThrow('must be the length of the JSON');
  });
});

describe('an answer', () => {
  const proba = { name: 'predict_proba', shape: [1, 2], datatype: 'FP64', data: Float64Array.of(0.25, 0.75) } as const;
  const labels = { name: 'predict', shape: [1, 1], datatype: 'BYTES', data: ['red'] } as const;
  const answer = { modelName: 'm', modelVersion: 'v', id: 'i' };

  it('is JSON', () => {
    const { body, jsonLength } = writeInferAnswer({ ...answer, outputs: [{ ...proba, binary: false }] });

    expect(jsonLength).toBeUndefined();
    expect(JSON.parse(String(body))).toEqual({
      model_name: 'm',
      model_version: 'v',
      id: 'i',
      outputs: [{ name: 'predict_proba', shape: [1, 2], datatype: 'FP64', data: [0.25, 0.75] }],
    });
  });

  it('has the tensors that were asked for behind the JSON', () => {
    const outputs = [
      { ...proba, binary: true },
      { ...labels, binary: true },
    ];

    const { body, jsonLength = 0 } = writeInferAnswer({ ...answer, outputs });

    const bytes = Buffer.from(body);
    expect(JSON.parse(bytes.subarray(0, jsonLength).toString())).toMatchObject({
      outputs: [
        { name: 'predict_proba', parameters: { binary_data_size: 16 } },
        { name: 'predict', datatype: 'BYTES', parameters: { binary_data_size: 7 } },
      ],
    });
    expect([bytes.readDoubleLE(jsonLength), bytes.readDoubleLE(jsonLength + 8)]).toEqual([0.25, 0.75]);
    expect(bytes.subarray(jsonLength + 16).toString('latin1')).toBe('\x03\0\0\0red');
  });
});
