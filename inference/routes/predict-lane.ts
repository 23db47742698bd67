// The short way of POST /predict: node:http hands the body to the prediction and its answer back. The framework in between costs several times what the
// prediction does. A request that asks for anything more (a trace, another origin, an unknown length) goes the framework's way; answers are the same.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { systemClock } from '../clock.ts';
import type { Connections } from '../connections.ts';
import { DirectRequest } from '../direct-request.ts';
import type { ServedModel, ServingSlot } from '../model/served.ts';
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
  readonly slot: ServingSlot;
  /** The variant's name as a header can carry it. */
  readonly variantHeader: string;
  readonly connections: Connections;
  readonly maxBodyBytes: number;
  readonly copies: Pick<Copies, 'taps'>;
  readonly log: Logger;
}

/** One request on its way. */
interface Call {
  readonly request: DirectRequest;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** When it began, in milliseconds. */
  readonly start: number;
  /** Which model answers it. */
  served: ServedModel | undefined;
}

/** Headers for which there is more to do than to predict. */
const ASKS_FOR_MORE = ['traceparent', 'origin', 'transfer-encoding', 'expect', 'upgrade'] as const;

export function predictLane(options: PredictLaneOptions, tools: LaneTools): Lane {
  const answers = new LaneAnswers(options, tools);
  return (request, response) => {
    const { method, url, headers } = request;
    if (method !== 'POST' || url !== '/predict' || !isPlain(headers, options.maxBodyBytes)) return false;
    if (!(request instanceof DirectRequest)) return false;
    const requestId = tools.newRequestId(headers['x-request-id']);
    const call: Call = { request, response, requestId, start: performance.now(), served: undefined };
    request.whole((body) => answers.answer(call, body));
    return true;
  };
}

class LaneAnswers {
  readonly #options: PredictLaneOptions;
  readonly #logLine: LaneTools['logLine'];

  constructor(options: PredictLaneOptions, { logLine }: LaneTools) {
    this.#options = options;
    this.#logLine = logLine;
  }

  answer(call: Call, body: Buffer): void {
    const { slot, predict } = this.#options;
    if (slot.current?.model.remote !== undefined) return void this.#answerLater(call, body);
    try {
      const json = predict(body, call.request.headers['content-type'], (served) => (call.served = served));
      this.#send(call, body, 200, json);
    } catch (error) {
      this.#refuse(call, body, error);
    }
  }

  /** By a model that answers from another thread. */
  async #answerLater(call: Call, body: Buffer): Promise<void> {
    try {
      const contentType = call.request.headers['content-type'];
      const use = (served: ServedModel) => (call.served = served);
      this.#send(call, body, 200, await this.#options.predictLater({ body, contentType }, use));
    } catch (error) {
      this.#refuse(call, body, error);
    }
  }

  #refuse(call: Call, body: Buffer, error: unknown): void {
    const { requestId } = call;
    const problem = problemOf(error);
    logProblem(this.#options.log, error, { ...logFields(requestId, undefined), route: '/predict' });
    this.#send(call, body, problem.status, JSON.stringify(problemBody(problem, 'python', requestId)));
  }

  #send(call: Call, body: Buffer, status: number, json: string): void {
    const { request, response, requestId, start, served } = call;
    const length = Buffer.byteLength(json);
    response.writeHead(status, this.#headersOf(call, length));
    // as many bytes as letters: ASCII, which is written faster under its own name
    response.end(json, length === json.length ? 'latin1' : 'utf8');
    const { headers } = request;
    const answered = () => ({ requestId, path: '/predict', headers, body, status, answer: json, served });
    offerCopies(this.#options.copies.taps, answered, systemClock);
    this.#logLine?.(() => {
      const fields = { ...logFields(requestId, undefined), method: 'POST', route: '/predict', status };
      return { ...fields, ms: performance.now() - start };
    });
  }

  /** Names and values in turns, which node:http takes as they are. */
  #headersOf({ request, requestId, served }: Call, length: number): string[] {
    const { slot, variantHeader, connections } = this.#options;
    const headers = [
      'content-type',
      'application/json',
      'content-length',
      String(length),
      'x-model-variant',
      variantHeader,
      'x-model-version',
      (served ?? slot.current)?.versionHeader ?? 'none',
      'x-request-id',
      requestId,
    ];
    if (connections.isLeaving(request.socket)) headers.push('connection', 'close');
    return headers;
  }
}

function isPlain(headers: IncomingHttpHeaders, maxBodyBytes: number): boolean {
  const length = headers['content-length'];
  if (length === undefined || !(Number(length) <= maxBodyBytes)) return false;
  for (const name of ASKS_FOR_MORE) if (headers[name] !== undefined) return false;
  return true;
}
