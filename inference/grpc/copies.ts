// A call of ModelInfer as the request of V2 over REST that says the same: in that form the payload log keeps it, and a shadow is asked.
import type { Metadata } from '@grpc/grpc-js';
import { MAX_COPY_BYTES, SHADOW_HEADER } from '../monitoring/exchange.ts';
import type { Answered } from '../monitoring/exchange.ts';
import type { ServedModel } from '../model/served.ts';
import { problemBody } from '../problems.ts';
import type { Problem } from '../problems.ts';
import { writeInferAnswer } from '../tensors/infer-json.ts';
import type { OutputTensor } from '../tensors/outputs.ts';
import { inputsOf } from './inputs.ts';
import { readModelInferRequest } from './requests.ts';
import type { ModelInferRequest } from './requests.ts';

interface Call {
  readonly metadata: Metadata;
  /** The message. */
  readonly request: Uint8Array;
}

/** How a call has ended. */
export interface Ended {
  readonly requestId: string;
  /** The model that answered. */
  readonly served: ServedModel | undefined;
  /** What it answered, or why it did not. */
  readonly outcome: readonly OutputTensor[] | { readonly problem: Problem };
}

const HEADERS = ['ce-id', 'traceparent', SHADOW_HEADER] as const;

/** What cannot be read, or is larger than any copy may be, keeps the body that came. */
export function asRest({ metadata, request: message }: Call, { requestId, served, outcome }: Ended): Answered {
  const request = message.length > MAX_COPY_BYTES ? undefined : quietly(() => readModelInferRequest(message));
  const given = HEADERS.map((name) => [name, metadata.get(name)[0]?.toString()] as const);
  return {
    requestId,
    path: pathOf(request),
    headers: { ...Object.fromEntries(given), 'content-type': 'application/json' },
    body: (request && quietly(() => requestJson(request))) ?? message,
    ...('problem' in outcome
      ? { status: outcome.problem.status, answer: JSON.stringify(problemBody(outcome.problem, 'protocol', requestId)) }
      : { status: 200, answer: answerJson(request, served, outcome) }),
    served,
  };
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // it has been refused for that
  }
}

function pathOf(request: ModelInferRequest | undefined): string {
  const { name, version } = request?.model ?? { name: '', version: '' };
  const versioned = version === '' ? '' : `/versions/${encodeURIComponent(version)}`;
  return `/v2/models/${encodeURIComponent(name)}${versioned}/infer`;
}

/** Throws HttpError 400. */
function requestJson(request: ModelInferRequest): Uint8Array {
  const { id, inputs, outputs } = request;
  const tensors = inputsOf(request, Infinity).map(({ name, datatype, elements }, at) => {
    const data = Array.from<unknown>(elements);
    return { name, datatype, shape: inputs[at]?.shape, data: datatype === 'BOOL' ? data.map(Boolean) : data };
  });
  const json = {
    ...(id !== '' && { id }),
    inputs: tensors,
    ...(outputs.length > 0 && { outputs: outputs.map((name) => ({ name })) }),
  };
  return Buffer.from(JSON.stringify(json));
}

function answerJson(
  request: ModelInferRequest | undefined,
  served: ServedModel | undefined,
  outputs: readonly OutputTensor[],
): string {
  if (request === undefined) return '';
  const { model, id } = request;
  const { body } = writeInferAnswer({
    modelName: model.name,
    modelVersion: served?.version ?? '',
    ...(id !== '' && { id }),
    outputs: outputs.map((output) => ({ ...output, binary: false })),
  });
  return typeof body === 'string' ? body : '';
}
