// Why a load failed, in the words of the admin contract, and the HTTP status that goes with each word.
import { ARTIFACT_REASONS, ORDER_REASONS, STORE_REASONS } from './contract.ts';
import type { Failure, FailureReason } from './contract.ts';
import { ModelError } from './model/errors.ts';

/** A model was not loaded. `reason` says whether the artifact, the store or the order of calls is to blame. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

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

/** Any thrown value as a load error; what is not one already becomes DiskFull or, a bug, InternalError. */
export function loadErrorOf(error: unknown): LoadError {
  if (error instanceof LoadError) return error;
  if (error instanceof ModelError) return new LoadError(error.reason, error.message, { cause: error });
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LoadError('DiskFull', 'No room on the artifact volume: raise its sizeLimit', { cause: error });
  }
  return new LoadError('InternalError', error instanceof Error ? error.message : String(error), { cause: error });
}

/** The failure as the contract has it; the message is cut to what a status can hold. */
export function failureOf(error: LoadError): Failure {
  return { reason: error.reason, message: error.message.slice(0, 1024) };
}

/** The `code` of a system error, else undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
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
