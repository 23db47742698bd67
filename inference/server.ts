// What both ports have in common: Fastify with our limits, the headers of every answer, and errors in the form that each API's clients expect.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { HttpError, LoadError, statusOf } from './errors.ts';
import { BasketError } from './features/basket.ts';
import { ModelInputError } from './model/errors.ts';
import type { SlotView } from './model/reported.ts';
import type { ServedModel } from './model/served.ts';
import { headerSafe } from './model/served.ts';
import { UnreadableBodyError, ValidationError } from './validation/predict-body.ts';
import type { Connections } from './connections.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The model that this request was answered by: read once, so that an answer never mixes two. */
    served: ServedModel | undefined;
  }
}

export interface ServerOptions {
  readonly slot: SlotView;
  readonly variant: string;
  readonly log: Logger;
  readonly maxBodyBytes: number;
  /** One request in so many is logged at info; 0: none. Every request is logged at debug. */
  readonly accessLogEvery: number;
  readonly connections?: Connections;
}

const KEEP_ALIVE_MS = 77_000; // longer than a load balancer or HAProxy keeps an idle connection
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const JSON_TYPE = 'application/json';

export function createServer(options: ServerOptions): FastifyInstance {
  // Fastify's own lines at info (it tells of every address) are noise beside ours.
  const loggerInstance: FastifyBaseLogger = options.log.child({}, { level: quieter(options.log) });
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for each request costs more than the prediction: the request id is added where something is logged.
    childLoggerFactory: (logger) => logger,
    requestIdHeader: false,
    genReqId: requestIds(),
    bodyLimit: options.maxBodyBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 30_000,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
  });
  app.decorateRequest('served', undefined);
  // Each API reads its own bodies, by its own rules.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.addHook('onSend', answerHeaders(options));
  addAccessLog(app, options);
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  options.connections?.track(app.server);
  return app;
}

function quieter(log: Logger): string {
  return log.isLevelEnabled('info') ? 'warn' : log.level;
}

/** The client's X-Request-Id when it is printable and short, else one that is unique to this process and cheap. */
function requestIds(): (request: IncomingMessage) => string {
  const process = randomUUID().slice(0, 13);
  let count = 0;
  return ({ headers }) => {
    const given = headers['x-request-id'];
    if (typeof given === 'string' && REQUEST_ID.test(given)) return given;
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}

/** Headers of every answer, of errors too. */
function answerHeaders({ slot, variant, connections }: ServerOptions) {
  const variantHeader = headerSafe(variant);
  return (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: null, payload: unknown) => void,
  ) => {
    const served = request.served ?? slot.current;
    reply.header('x-model-variant', variantHeader);
    reply.header('x-model-version', served === undefined ? 'none' : served.versionHeader);
    reply.header('x-request-id', request.id);
    if (request.headers.origin !== undefined) reply.header('access-control-allow-origin', '*');
    if (connections?.isLeaving(request.raw.socket) === true) reply.header('connection', 'close');
    // Fastify adds a charset, which JSON does not have and the Python service does not send.
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8') reply.header('content-type', JSON_TYPE);
    done(null, payload);
  };
}

function addAccessLog(app: FastifyInstance, { log, accessLogEvery }: ServerOptions): void {
  const all = log.isLevelEnabled('debug');
  if (!all && accessLogEvery === 0) return;
  let count = 0;
  app.addHook('onResponse', (request, reply, done) => {
    count += 1;
    const sampled = accessLogEvery > 0 && count % accessLogEvery === 0;
    if (all || sampled) {
      const { id, method } = request;
      const fields = { requestId: id, method, route: request.routeOptions.url, status: reply.statusCode };
      log[sampled ? 'info' : 'debug']({ ...fields, ms: reply.elapsedTime }, 'request');
    }
    done();
  });
}

/** Clients of V1 and V2 read `error`, those of the Python service `detail`. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, detail } = described(error);
  const fields = { requestId: request.id, route: request.routeOptions.url };
  // The basket is the client's: its stack would let anybody fill the log.
  if (error instanceof BasketError) request.log.warn({ ...fields, detail: error.message }, 'request failed');
  else if (status >= 500 && !(error instanceof HttpError)) {
    request.log.error({ ...fields, err: error }, 'request failed');
  }
  const body = isProtocolPath(request.url) ? { error: textOf(detail) } : { detail };
  return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(body));
}

function described(error: unknown): { readonly status: number; readonly detail: unknown } {
  if (error instanceof ValidationError) return { status: 422, detail: error.issues };
  if (error instanceof ModelInputError || error instanceof UnreadableBodyError) {
    return { status: 400, detail: error.message };
  }
  if (error instanceof HttpError) return { status: error.status, detail: error.message };
  if (error instanceof LoadError) return { status: statusOf(error.reason), detail: error.message };
  if (error instanceof BasketError) return { status: 500, detail: 'Prediction failed' };
  const status = statusCodeOf(error);
  if (status === 413) return { status, detail: 'Request body too large' };
  if (status >= 400 && status < 500 && error instanceof Error) return { status, detail: error.message };
  return { status: 500, detail: 'Internal Server Error' };
}

/** Fastify's own errors carry their status. */
function statusCodeOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' ? error.statusCode : 500;
}

function isProtocolPath(url: string): boolean {
  return url.startsWith('/v1/') || url.startsWith('/v2');
}

function textOf(detail: unknown): string {
  return typeof detail === 'string' ? detail : JSON.stringify(detail);
}

/** Sends a JSON text that is already written. */
export function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.header('content-type', JSON_TYPE).send(json);
}
