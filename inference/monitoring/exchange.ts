// A request and its answer, handed to whoever wants a copy once the answer is written: payload log and shadow. Taking one costs a reference.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ServedModel } from '../model/served.ts';

export interface Exchange {
  readonly requestId: string;
  /** Path without a query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly status: number;
  readonly answer: string;
  /** The model that answered. */
  readonly served: ServedModel | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Told of every inference request with a JSON answer. Must return at once, and never throw. */
export type Tap = (exchange: Exchange) => void;

/** Marks a copy, with the name of the variant that it comes from: a copy is never copied again. */
export const SHADOW_HEADER = 'x-switchyard-shadow';
/** Part of such a body is no JSON. */
export const BINARY_HEADER = 'inference-header-content-length';
const HEADERS = ['content-type', 'ce-id', 'traceparent', SHADOW_HEADER, BINARY_HEADER] as const;

const ROUTES = new Set([
  '/predict',
  '/v1/models/:name',
  '/v2/models/:name/infer',
  '/v2/models/:name/versions/:version/infer',
]);

/** Without taps nothing is added to any request. */
export function addTaps(app: FastifyInstance, taps: readonly Tap[], clock: () => number): void {
  if (taps.length === 0) return;
  app.addHook('onSend', (request, reply, payload, done) => {
    if (isInference(request) && request.body instanceof Uint8Array && typeof payload === 'string') {
      const { id, url, body, served } = request;
      const path = url.split('?')[0] ?? '';
      const exchange = { requestId: id, path, headers: headersOf(request), body, status: reply.statusCode, served };
      for (const tap of taps) tap({ ...exchange, answer: payload, at: clock() });
    }
    done(null, payload);
  });
}

function isInference({ method, routeOptions }: FastifyRequest): boolean {
  return method === 'POST' && routeOptions.url !== undefined && ROUTES.has(routeOptions.url);
}

function headersOf({ headers }: FastifyRequest): Exchange['headers'] {
  return Object.fromEntries(
    HEADERS.map((name) => {
      const value = headers[name];
      return [name, typeof value === 'string' ? value : undefined];
    }),
  );
}
