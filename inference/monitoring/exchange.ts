// A request and its answer, handed to whoever wants a copy once the answer is written: payload log and shadow. Taking one costs a reference.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import type { Task } from '../estimators/estimator.ts';
import type { ServedModel } from '../model/served.ts';

/** Plain data. */
export interface Exchange {
  readonly requestId: string;
  /** Path without a query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly status: number;
  readonly answer: string;
  /** The model that answered. */
  readonly model: AnsweringModel | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface AnsweringModel {
  readonly version: string;
  /** Names of the columns, as far as they have names. */
  readonly features: readonly string[];
  readonly task: Task;
}

export function answeringModel({ version, schema, model }: ServedModel): AnsweringModel {
  return { version, features: schema.features, task: model.task };
}

/**
 * Asked at every inference request with a JSON answer: who wants a copy of this one says who takes it. Both must return at once, and never throw.
 */
export type Tap = () => ((exchange: Exchange) => void) | undefined;

/** Marks a copy, with the name of the variant that it comes from: a copy is never copied again. */
export const SHADOW_HEADER = 'x-switchyard-shadow';
/** Part of such a body is no JSON. */
export const BINARY_HEADER = 'inference-header-content-length';
/** Larger exchanges are not copied. A character of the answer may be two bytes. */
export const MAX_COPY_BYTES = 256 * 1024;
const HEADERS = ['content-type', 'ce-id', 'traceparent', SHADOW_HEADER, BINARY_HEADER] as const;

const ROUTES = new Set([
  '/predict',
  '/v1/models/:name',
  '/v2/models/:name/infer',
  '/v2/models/:name/versions/:version/infer',
]);

/** What a server knows of a request when its answer is written. */
export interface Answered extends Omit<Exchange, 'headers' | 'at' | 'model'> {
  readonly headers: IncomingHttpHeaders;
  readonly served: ServedModel | undefined;
}

/** Asks the taps; only when one wants a copy, `answered` is asked for it. */
export function offerCopies(taps: readonly Tap[], answered: () => Answered, clock: Clock): void {
  if (taps.length === 0) return;
  const takers = taps.map((tap) => tap()).filter((take) => take !== undefined);
  if (takers.length === 0) return;
  const { headers, body, served, ...told } = answered();
  const model = served && answeringModel(served);
  // A body may be a small part of what the socket has read: a copy lets go of the rest.
  const exchange = { ...told, model, body: Uint8Array.from(body), headers: kept(headers), at: clock() };
  for (const take of takers) take(exchange);
}

/** For what goes the framework's way. Without taps nothing is added to any request. */
export function addTaps(app: FastifyInstance, taps: readonly Tap[], clock: Clock): void {
  if (taps.length === 0) return;
  app.addHook('onSend', (request, reply, payload, done) => {
    const { body } = request;
    if (isInference(request) && body instanceof Uint8Array && typeof payload === 'string') {
      offerCopies(taps, () => answeredBy(request, { body, answer: payload, status: reply.statusCode }), clock);
    }
    done(null, payload);
  });
}

function answeredBy(request: FastifyRequest, more: Pick<Answered, 'body' | 'answer' | 'status'>): Answered {
  const { id, url, served, headers } = request;
  return { ...more, requestId: id, path: url.split('?')[0] ?? '', headers, served };
}

function isInference({ method, routeOptions }: FastifyRequest): boolean {
  return method === 'POST' && routeOptions.url !== undefined && ROUTES.has(routeOptions.url);
}

function kept(headers: IncomingHttpHeaders): Exchange['headers'] {
  return Object.fromEntries(
    HEADERS.map((name) => {
      const value = headers[name];
      return [name, typeof value === 'string' ? value : undefined];
    }),
  );
}
