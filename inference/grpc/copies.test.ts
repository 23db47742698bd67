import { Metadata } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/proto-loader';
import { describe, expect, it } from 'vitest';
import { aServedModel } from '../../test/support/a-served-model.ts';
import { asRest } from './copies.ts';
import type { Ended } from './copies.ts';

const proto = loadSync(new URL('grpc_predict_v2.proto', import.meta.url).pathname, { longs: Number });
const service = proto['inference.GRPCInferenceService'] as ServiceDefinition;
const message = (request: object) => service['ModelInfer']?.requestSerialize(request) ?? new Uint8Array();

const ANSWER = [{ name: 'predict', shape: [1, 1], datatype: 'BYTES', data: ['low'] }] as const;

/** What is told of a call with this request. */
function asked(request: object | Uint8Array, more: Partial<Ended> = {}, metadata = new Metadata()) {
  const ended = { requestId: 'r-1', served: aServedModel(), outcome: ANSWER, ...more };
  return asRest({ metadata, request: request instanceof Uint8Array ? request : message(request) }, ended);
}

function told({ body, answer, ...exchange }: ReturnType<typeof asRest>) {
  return {
    ...exchange,
    body: JSON.parse(Buffer.from(body).toString()) as unknown,
    answer: JSON.parse(answer) as unknown,
  };
}

describe('a call of gRPC, told as a request over REST', () => {
  it('has the same tensors, outputs, id, and the answer', () => {
    const inputs = [
      { name: 'a', datatype: 'FP64', shape: [2, 1], contents: { fp64Contents: [1.5, NaN] } },
      { name: 'b', datatype: 'BYTES', shape: [2], contents: { bytesContents: [Buffer.from('é'), Buffer.from('')] } },
      { name: 'c', datatype: 'BOOL', shape: [2], contents: { boolContents: [true, false] } },
    ];
    const request = { modelName: 'my model', modelVersion: '1/2', id: 'i-1', inputs, outputs: [{ name: 'predict' }] };

    expect(told(asked(request))).toMatchObject({
      requestId: 'r-1',
      path: '/v2/models/my%20model/versions/1%2F2/infer',
      status: 200,
      body: {
        id: 'i-1',
        inputs: [
          { name: 'a', datatype: 'FP64', shape: [2, 1], data: [1.5, null] },
          { name: 'b', datatype: 'BYTES', shape: [2], data: ['é', ''] },
          { name: 'c', datatype: 'BOOL', shape: [2], data: [true, false] },
        ],
        outputs: [{ name: 'predict' }],
      },
      answer: { model_name: 'my model', model_version: '1.0.0', id: 'i-1', outputs: ANSWER },
    });
  });

  it('has the numbers of raw contents', () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2] }];
    const rawInputContents = [Buffer.from(Float32Array.of(0.5, 2).buffer)];

    expect(told(asked({ modelName: 'm', inputs, rawInputContents }))).toMatchObject({
      path: '/v2/models/m/infer',
      body: { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [0.5, 2] }] },
    });
  });

  it('has the headers that others go by, and is of JSON', () => {
    const metadata = new Metadata();
    metadata.set('ce-id', 'mine');
    metadata.set('authorization', 'Bearer secret');

    const { headers } = asked({ modelName: 'm' }, {}, metadata);

    expect(headers).toMatchObject({ 'ce-id': 'mine', 'content-type': 'application/json' });
    expect(JSON.stringify(headers)).not.toContain('secret');
  });

  it('has status and answer of a refusal, and what cannot be read stays as it came', () => {
    const outcome = { problem: { status: 400, detail: 'the message ends within a field' } };
    const unreadable = Uint8Array.of(0x0a, 5, 65);

    const { status, answer, body } = asked(unreadable, { outcome, served: undefined });

    expect([status, JSON.parse(answer)]).toEqual([400, { error: 'the message ends within a field' }]);
    expect(body).toBe(unreadable);
  });

  it('stays as it came where it is larger than any copy may be', () => {
    const huge = message({ modelName: 'm'.repeat(300_000) });

    expect(asked(huge).body).toBe(huge);
  });
});
