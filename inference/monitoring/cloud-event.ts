// A request and its answer as two CloudEvents 1.0 in JSON, by the types and extensions of KServe's payload logger. Pure.
import { isoOf } from '../clock.ts';
import type { Exchange } from './exchange.ts';
import { redact } from './redact.ts';

export interface Origin {
  readonly modelDeployment: string;
  readonly namespace: string | undefined;
  readonly variant: string;
}

const TYPE = 'org.kubeflow.serving.inference';
const ID = /^[\x21-\x7e]{1,128}$/;

/** JSON texts of the two events. `newId` is for requests without a usable Ce-Id; `redacted`: names of fields that are left out. */
export function cloudEvents(
  exchange: Exchange,
  { modelDeployment, namespace, variant }: Origin,
  { redacted, newId }: { readonly redacted: ReadonlySet<string>; readonly newId: () => string },
): readonly [request: string, response: string] {
  const { headers, model, at, path, requestId, status } = exchange;
  const given = headers['ce-id'];
  const fields = { names: redacted, columns: model?.features ?? [] };
  const attributes = {
    specversion: '1.0',
    id: given !== undefined && ID.test(given) ? given : newId(),
    source: ['', namespace ?? 'default', modelDeployment, variant].map(encodeURIComponent).join('/'),
    subject: path,
    time: isoOf(at),
    datacontenttype: 'application/json',
    inferenceservicename: modelDeployment,
    ...(namespace !== undefined && { namespace }),
    component: 'predictor',
    endpoint: variant,
    requestid: requestId,
    ...(model && { modelversion: model.version }),
    ...(headers['traceparent'] !== undefined && { traceparent: headers['traceparent'] }),
  };
  const request = { ...attributes, type: `${TYPE}.request`, ...dataOf(exchange.body, fields) };
  // A refusal may quote the body in a sentence, where no field can be told from another.
  const isTold = status < 400 || redacted.size === 0;
  const answer = isTold ? dataOf(exchange.answer, fields) : {};
  const response = { ...attributes, type: `${TYPE}.response`, statuscode: status, ...answer };
  return [JSON.stringify(request), JSON.stringify(response)];
}

/** A body that is no JSON is left out: nothing could be redacted in it. */
function dataOf(body: string | Uint8Array, fields: Parameters<typeof redact>[1]): { readonly data?: unknown } {
  try {
    const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body);
    return { data: redact(JSON.parse(text), fields) };
  } catch {
    return {};
  }
}
