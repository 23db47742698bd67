// Why a load failed, in the words of the admin contract. Apart from errors.ts so that the worker that reads models starts without a schema library.
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
