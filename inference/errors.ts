// The errors of this program: which HTTP status goes with which reason of the admin contract.
import { ARTIFACT_REASONS, ORDER_REASONS, STORE_REASONS } from './contract.ts';
import type { FailureReason } from './contract.ts';

export { LoadError, codeOf, failureOf, loadErrorOf } from './load-error.ts';

const includes = (list: readonly string[], reason: string) => list.includes(reason);

/** Whether the same call may succeed later without anybody changing the artifact. */
export function isTransient(reason: FailureReason): boolean {
  return includes(STORE_REASONS, reason);
}

/** 422 the artifact is bad, 502 the store is, 409 too late, 400 the call is wrong, 500 a bug. */
export function statusOf(reason: FailureReason): number {
  if (includes(ARTIFACT_REASONS, reason)) return 422;
  if (includes(STORE_REASONS, reason)) return 502;
  if (includes(ORDER_REASONS, reason)) return 409;
  return reason === 'InvalidRequest' ? 400 : 500;
}

/** An answer other than 200 that a route has decided on; `message` is for the client. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
