// The short way of POST /predict: node:http hands the body to the prediction and its answer back. The framework in between costs several times what the
// prediction does. A request that asks for anything more (a trace, another origin, an unknown length) goes the framework's way; answers are the same.
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { systemClock } from '../clock.ts';
import type { Connections } from '../connections.ts';
import type { ServedModel } from '../model/served.ts';
import type { ModelSlot } from '../model/slot.ts';
import type { Copies } from '../monitoring/copies.ts';
import { offerCopies } from '../monitoring/exchange.ts';
import { logProblem, problemBody, problemOf } from '../problems.ts';
import { logFields } from '../request-id.ts';
import type { Lane, LaneTools } from '../server.ts';
import type { PredictLater } from './predict-later.ts';
import type { Predict } from './predict.ts';

export interface PredictLaneOptions {
  readonly predict: Predict;
  readonly predictLater: PredictLater;
  readonly slot: Pick<ModelSlot, 'current'>;
  /** The variant's name as a header can carry it. */
  readonly variantHeader: string;
  readonly connections: Connections;
  readonly maxBodyBytes: number;
  readonly copies: Pick<Copies, 'taps'>;
  readonly log: Logger;
}

interface Call extends PredictLaneOptions, LaneTools {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** When it began, in milliseconds. */
  readonly start: number;
}

/** Headers for which there is more to do than to predict. */
const ASKS_FOR_MORE = ['traceparent', 'origin', 'transfer-encoding', 'expect', 'upgrade'] as const;

export function predictLane(options: PredictLaneOptions, tools: LaneTools): Lane {
  return (request, response) => {
    const { method, url, headers } = request;
    if (method !== 'POST' || url !== '/predict' || !isPlain(headers, options.maxBodyBytes)) return false;
    const requestId = tools.newRequestId(headers['x-request-id']);
    const call: Call = { ...options, ...tools, request, response, requestId, start: performance.now() };
    whole(request, (body) => (isElsewhere(call) ? void answerLater(call, body) : answer(call, body)));
    return true;
  };
}

function answer(call: Call, body: Buffer): void {
  const { predict, request } = call;
  let served: ServedModel | undefined;
  try {
    const json = predict(body, request.headers['content-type'], (used) => (served = used));
    send(call, body, { status: 200, json, served });
  } catch (error) {
    refuse(call, body, error, served);
  }
}

/** The model in use answers from another thread. */
function isElsewhere({ slot }: Pick<PredictLaneOptions, 'slot'>): boolean {
  return slot.current?.model.remote !== undefined;
}

async function answerLater(call: Call, body: Buffer): Promise<void> {
  let served: ServedModel | undefined;
  try {
    const contentType = call.request.headers['content-type'];
    const json = await call.predictLater({ body, contentType }, (used) => (served = used));
    send(call, body, { status: 200, json, served });
  } catch (error) {
    refuse(call, body, error, served);
  }
}

function refuse(call: Call, body: Buffer, error: unknown, served: ServedModel | undefined): void {
  const { log, requestId } = call;
  const problem = problemOf(error);
  logProblem(log, error, { ...logFields(requestId, undefined), route: '/predict' });
  const json = JSON.stringify(problemBody(problem, 'python', requestId));
  send(call, body, { status: problem.status, json, served });
}

interface Told {
  readonly status: number;
  readonly json: string;
  readonly served: ServedModel | undefined;
}

function send(call: Call, body: Buffer, { status, json, served }: Told): void {
  const { request, response, requestId, logLine, start, copies } = call;
  response.writeHead(status, headersOf(call, Buffer.byteLength(json), served ?? call.slot.current));
  response.end(json);
  const { headers } = request;
  const answered = () => ({ requestId, path: '/predict', headers, body, status, answer: json, served });
  offerCopies(copies.taps, answered, systemClock);
  logLine?.(() => {
    const fields = { ...logFields(requestId, undefined), method: 'POST', route: '/predict', status };
    return { ...fields, ms: performance.now() - start };
  });
}

function headersOf(call: Call, length: number, served: ServedModel | undefined): OutgoingHttpHeaders {
  const { request, requestId, variantHeader, connections } = call;
  const headers: OutgoingHttpHeaders = {
    'content-type': 'application/json',
    'content-length': length,
    'x-model-variant': variantHeader,
    'x-model-version': served?.versionHeader ?? 'none',
    'x-request-id': requestId,
  };
  if (connections.isLeaving(request.socket)) headers['connection'] = 'close';
  return headers;
}

function isPlain(headers: IncomingHttpHeaders, maxBodyBytes: number): boolean {
  const length = headers['content-length'];
  if (length === undefined || !(Number(length) <= maxBodyBytes)) return false;
  for (const name of ASKS_FOR_MORE) if (headers[name] !== undefined) return false;
  return true;
}

/** Calls back with the whole body, whose length node:http has checked. A client that goes away before is forgotten. */
function whole(request: IncomingMessage, callback: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('error', () => undefined);
  request.on('end', () => {
    const [first = Buffer.alloc(0)] = chunks;
    callback(chunks.length > 1 ? Buffer.concat(chunks) : first);
  });
}
