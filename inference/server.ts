// What both ports have in common: Fastify with our limits, the headers of every answer, and errors in the form that each API's clients expect.
import { Server } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { accessLog } from './access-log.ts';
import type { AccessLogOptions } from './access-log.ts';
import { addCorsHeaders } from './cors.ts';
import type { CorsOrigins } from './cors.ts';
import { versionHeaderOf } from './model/reported.ts';
import type { SlotView } from './model/reported.ts';
import type { ServedModel } from './model/served.ts';
import { headerSafe } from './model/served.ts';
import type { Connections } from './connections.ts';
import { DirectRequest } from './direct-request.ts';
import { answerMalformed } from './malformed.ts';
import { logProblem, problemBody, problemOf } from './problems.ts';
import type { ProblemForm } from './problems.ts';
import { logFields, requestIds, traceOf } from './request-id.ts';
import type { Trace } from './trace.ts';
import { WireServer } from './wire/wire-server.ts';
import type { PlainRoute } from './wire/wire-connection.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The model that this request was answered by: read once, so that an answer never mixes two. */
    served: ServedModel | undefined;
    /** Set when it is first asked for. */
    trace: Trace | undefined;
  }
}

/** Short ways for the requests that have to be fast. */
export interface Lanes {
  /** In front of node:http. */
  readonly wire: PlainRoute;
  /** In front of the framework, for what has come through node:http; false: it has not touched the request. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** What lanes share with the framework's way. */
export interface LaneTools {
  readonly newRequestId: (given: unknown) => string;
  readonly logLine: ReturnType<typeof accessLog>;
}

export interface ServerOptions extends AccessLogOptions {
  readonly slot: Pick<SlotView, 'current'>;
  readonly variant: string;
  readonly maxBodyBytes: number;
  readonly connections?: Connections;
  /** How problems are told where no protocol has a say; default: our own form. */
  readonly problemForm?: ProblemForm;
  /** Origins of browser pages that may call; absent: none. */
  readonly corsOrigins?: CorsOrigins;
  readonly lanes?: (tools: LaneTools) => Lanes;
}

const KEEP_ALIVE_MS = 77_000; // longer than a load balancer or HAProxy keeps an idle connection
const REQUEST_MS = 30_000;
const JSON_TYPE = 'application/json';
/** Paths of the public port that neither the Python service nor a protocol has. */
const OWN_PATHS = new Set(['/live', '/metrics', '/openapi.json', '/docs']);

export function createServer(options: ServerOptions): FastifyInstance {
  // Fastify's own lines at info (it tells of every address) are noise beside ours.
  const loggerInstance: FastifyBaseLogger = options.log.child({}, { level: quieter(options.log) });
  const newRequestId = requestIds();
  const form = options.problemForm ?? 'own';
  const logLine = accessLog(options);
  const lanes = options.lanes?.({ newRequestId, logLine });
  const app = Fastify({
    serverFactory: (listener) => httpServer(listener, lanes),
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger for each request costs more than the prediction: the request id is added where something is logged.
    childLoggerFactory: (logger) => logger,
    requestIdHeader: false,
    genReqId: ({ headers }) => newRequestId(headers['x-request-id']),
    bodyLimit: options.maxBodyBytes,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    // Addresses that no router can read; hooks do not run for these.
    frameworkErrors: (error, request, reply) => {
      void answerError(error, request, reply.header('x-request-id', request.id), form);
    },
    clientErrorHandler: (error, socket) => answerMalformed(error, socket, form, newRequestId(undefined)),
  });
  app.decorateRequest('served', undefined);
  app.decorateRequest('trace', undefined);
  // Each API reads its own bodies, by its own rules.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  app.addHook('onSend', answerHeaders(options));
  addAccessLog(app, logLine);
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, form));
  options.connections?.track(app.server);
  return app;
}

function httpServer(listener: RequestListener, lanes: Lanes | undefined): Server {
  const options = { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_MS };
  if (lanes === undefined) return new Server(options, listener);
  const { request: lane, wire } = lanes;
  return new WireServer(
    { ...options, IncomingMessage: DirectRequest },
    (request, response) => {
      if (!lane(request, response)) listener(request, response);
    },
    wire,
  );
}

function quieter(log: Logger): string {
  return log.isLevelEnabled('info') ? 'warn' : log.level;
}

/** Headers of every answer, of errors too. */
function answerHeaders({ slot, variant, connections, corsOrigins }: ServerOptions) {
  const variantHeader = headerSafe(variant);
  return (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    done: (error: null, payload: unknown) => void,
  ) => {
    reply.header('x-model-variant', variantHeader);
    reply.header('x-model-version', versionHeaderOf(request.served, slot));
    reply.header('x-request-id', request.id);
    const trace = traceOfRequest(request);
    if (trace !== undefined) reply.header('traceparent', trace.header);
    if (corsOrigins !== undefined) addCorsHeaders(reply, request.headers.origin, corsOrigins);
    if (connections?.isLeaving(request.raw.socket) === true) reply.header('connection', 'close');
    // Fastify adds a charset, which JSON does not have and the Python service does not send.
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8') reply.header('content-type', JSON_TYPE);
    done(null, payload);
  };
}

function addAccessLog(app: FastifyInstance, logLine: LaneTools['logLine']): void {
  if (logLine === undefined) return;
  app.addHook('onResponse', (request, reply, done) => {
    logLine(() => {
      const { method } = request;
      const fields = { ...logFieldsOf(request), method, route: request.routeOptions.url, status: reply.statusCode };
      return { ...fields, ms: reply.elapsedTime };
    });
    done();
  });
}

/** Tells the client what went wrong, in the form that its API has. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, form: ProblemForm): FastifyReply {
  const problem = problemOf(error);
  logProblem(request.log, error, { ...logFieldsOf(request), route: request.routeOptions.url });
  const body = problemBody(problem, formOf(request.url, form), request.id);
  return reply.code(problem.status).header('content-type', JSON_TYPE).send(JSON.stringify(body));
}

function formOf(url: string, form: ProblemForm): ProblemForm {
  if (url.startsWith('/v1/') || url.startsWith('/v2')) return 'protocol';
  return OWN_PATHS.has(url.split('?')[0] ?? '') ? 'own' : form;
}

/** The caller's trace, where the request belongs to one. */
function traceOfRequest(request: FastifyRequest): Trace | undefined {
  request.trace ??= traceOf(request.headers['traceparent']);
  return request.trace;
}

function logFieldsOf(request: FastifyRequest) {
  return logFields(request.id, traceOfRequest(request));
}

/** Sends a JSON text that is already written. */
export function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.header('content-type', JSON_TYPE).send(json);
}
