// The short ways of POST /predict: straight from the socket, and from node:http for connections that have had another kind of request. The framework costs
// several times what the prediction does. A request that asks for anything more (a trace, another origin) goes the framework's way; answers are the same.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Connections } from '../connections.ts';
import { DirectRequest } from '../direct-request.ts';
import { versionHeaderOf } from '../model/reported.ts';
import type { Lanes, LaneTools } from '../server.ts';
import { ASKS_FOR_MORE } from '../wire/fields.ts';
import type { PlainRoute } from '../wire/wire-connection.ts';
import { PredictAnswers } from './predict-answers.ts';
import type { LaneRequest, PredictAnswersOptions, LaneAnswer } from './predict-answers.ts';

export interface PredictLaneOptions extends PredictAnswersOptions {
  /** The variant's name as a header can carry it. */
  readonly variantHeader: string;
  readonly connections: Connections;
  readonly maxBodyBytes: number;
}

const LINE = Buffer.from('POST /predict HTTP/1.1\r\n');

export function predictLanes(options: PredictLaneOptions, tools: LaneTools): Lanes {
  const answers = new PredictAnswers(options, tools);
  return { wire: wireRoute(options, answers, tools), request: requestLane(options, answers, tools) };
}

function wireRoute(options: PredictLaneOptions, answers: PredictAnswers, { newRequestId }: LaneTools): PlainRoute {
  const { connections, maxBodyBytes, slot } = options;
  const headersOf = answerHeaders(options.variantHeader);
  return {
    line: LINE,
    maxBodyBytes,
    isLeaving: (socket) => connections.isLeaving(socket),
    answer({ contentType, requestId: given }, body) {
      if (answers.isLater) return undefined;
      const requestId = newRequestId(given);
      const asked = { headers: { 'content-type': contentType }, body, requestId, start: performance.now() };
      const told = answers.now(asked);
      const headers = headersOf(versionHeaderOf(told.served, slot));
      return { status: told.status, headers, requestId, json: told.json, written: () => answers.written(asked, told) };
    },
  };
}

/** A function that answers the lines of a version: the same text as long as it is the same version. */
function answerHeaders(variant: string): (version: string) => string {
  let known: string | undefined;
  let headers = '';
  return (version) => {
    if (version !== known) {
      known = version;
      headers = `content-type: application/json\r\nx-model-variant: ${variant}\r\nx-model-version: ${version}\r\n`;
    }
    return headers;
  };
}

function requestLane(
  options: PredictLaneOptions,
  answers: PredictAnswers,
  { newRequestId }: LaneTools,
): Lanes['request'] {
  const { connections, variantHeader, slot, maxBodyBytes } = options;
  const send = (request: DirectRequest, response: ServerResponse, asked: LaneRequest, told: LaneAnswer): void => {
    const { status, json, served } = told;
    const length = Buffer.byteLength(json);
    // Names and values in turns, which node:http takes as they are.
    const headers = ['content-type', 'application/json', 'content-length', String(length)];
    headers.push('x-model-variant', variantHeader, 'x-model-version', versionHeaderOf(served, slot));
    headers.push('x-request-id', asked.requestId);
    if (connections.isLeaving(request.socket)) headers.push('connection', 'close');
    response.writeHead(status, headers);
    response.end(json);
    answers.written(asked, told);
  };
  return (request, response) => {
    const { method, url, headers } = request;
    if (method !== 'POST' || url !== '/predict' || !isPlain(headers, maxBodyBytes)) return false;
    if (!(request instanceof DirectRequest)) return false;
    const requestId = newRequestId(headers['x-request-id']);
    const start = performance.now();
    request.whole((body) => {
      const asked = { headers, body, requestId, start };
      if (answers.isLater) void answers.later(asked).then((told) => send(request, response, asked, told));
      else send(request, response, asked, answers.now(asked));
    });
    return true;
  };
}

function isPlain(headers: IncomingHttpHeaders, maxBodyBytes: number): boolean {
  const length = headers['content-length'];
  if (length === undefined || !(Number(length) <= maxBodyBytes)) return false;
  for (const name of ASKS_FOR_MORE) if (headers[name] !== undefined) return false;
  return true;
}
