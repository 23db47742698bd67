// What POST /predict answers on the short ways, whoever reads the request and writes the answer.
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import { systemClock } from '../clock.ts';
import type { ServedModel, ServingSlot } from '../model/served.ts';
import type { Copies } from '../monitoring/copies.ts';
import { offerCopies } from '../monitoring/exchange.ts';
import { logProblem, problemBody, problemOf } from '../problems.ts';
import { logFields } from '../request-id.ts';
import type { LaneTools } from '../server.ts';
import type { PredictLater } from './predict-later.ts';
import type { Predict } from './predict.ts';

export interface PredictAnswersOptions {
  readonly predict: Predict;
  readonly predictLater: PredictLater;
  readonly slot: ServingSlot;
  readonly copies: Pick<Copies, 'taps'>;
  readonly log: Logger;
}

/** A request of POST /predict. */
export interface LaneRequest {
  readonly headers: Pick<IncomingHttpHeaders, 'content-type'>;
  readonly body: Buffer;
  readonly requestId: string;
  /** When it began, by `performance.now()`. */
  readonly start: number;
}

export interface LaneAnswer {
  readonly status: number;
  readonly json: string;
  /** Which model answered. */
  readonly served: ServedModel | undefined;
}

export class PredictAnswers {
  readonly #options: PredictAnswersOptions;
  readonly #logLine: LaneTools['logLine'];

  constructor(options: PredictAnswersOptions, { logLine }: LaneTools) {
    this.#options = options;
    this.#logLine = logLine;
  }

  /** Whether the model answers from another thread. */
  get isLater(): boolean {
    return this.#options.slot.current?.model.remote !== undefined;
  }

  now(asked: LaneRequest): LaneAnswer {
    let served: ServedModel | undefined;
    try {
      const json = this.#options.predict(asked.body, asked.headers['content-type'], (used) => (served = used));
      return { status: 200, json, served };
    } catch (error) {
      return this.#refusal(asked, error, served);
    }
  }

  async later(asked: LaneRequest): Promise<LaneAnswer> {
    let served: ServedModel | undefined;
    try {
      const request = { body: asked.body, contentType: asked.headers['content-type'] };
      return { status: 200, json: await this.#options.predictLater(request, (used) => (served = used)), served };
    } catch (error) {
      return this.#refusal(asked, error, served);
    }
  }

  /** To be called when an answer has been written. */
  written({ headers, body, requestId, start }: LaneRequest, { status, json, served }: LaneAnswer): void {
    const answered = () => ({ requestId, path: '/predict', headers, body, status, answer: json, served });
    offerCopies(this.#options.copies.taps, answered, systemClock);
    this.#logLine?.(() => {
      const fields = { ...logFields(requestId, undefined), method: 'POST', route: '/predict', status };
      return { ...fields, ms: performance.now() - start };
    });
  }

  #refusal({ requestId }: LaneRequest, error: unknown, served: ServedModel | undefined): LaneAnswer {
    const problem = problemOf(error);
    logProblem(this.#options.log, error, { ...logFields(requestId, undefined), route: '/predict' });
    return { status: problem.status, json: JSON.stringify(problemBody(problem, 'python', requestId)), served };
  }
}
