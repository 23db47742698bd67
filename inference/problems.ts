// How a failed request is told: its status, the body that the clients of each API read, and what the log says.
import { STATUS_CODES } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import { HttpError, LoadError, statusOf } from './errors.ts';
import { BasketError } from './features/basket.ts';
import { ModelInputError } from './model/errors.ts';
import { UnreadableBodyError, ValidationError } from './validation/predict-body.ts';

export interface Problem {
  /** Of HTTP. */
  readonly status: number;
  /** For the client. */
  readonly detail: unknown;
}

/** Clients of V1 and V2 read `error`, those of the Python service `detail`; where nobody dictates anything it is our own form. */
export type ProblemForm = 'protocol' | 'python' | 'own';

export function problemOf(error: unknown): Problem {
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

export function problemBody({ status, detail }: Problem, form: ProblemForm, requestId: string): object {
  if (form === 'python') return { detail };
  if (form === 'protocol') return { error: textOf(detail) };
  return { error: STATUS_CODES[status] ?? 'Error', details: detail, request_id: requestId };
}

export function textOf(detail: unknown): string {
  return typeof detail === 'string' ? detail : JSON.stringify(detail);
}

/** Logs what is not the client's fault. `fields`: the request as the log has it. */
export function logProblem(log: Pick<FastifyBaseLogger, 'warn' | 'error'>, error: unknown, fields: object): void {
  // The basket is the client's: its stack would let anybody fill the log.
  if (error instanceof BasketError) log.warn({ ...fields, detail: error.message }, 'request failed');
  else if (problemOf(error).status >= 500 && !(error instanceof HttpError)) {
    log.error({ ...fields, err: error }, 'request failed');
  }
}
