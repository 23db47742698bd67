// What went wrong, as gRPC tells it.
import { status } from '@grpc/grpc-js';
import { problemOf, textOf } from '../problems.ts';
import type { Problem } from '../problems.ts';
import { WireError } from './wire.ts';

const CODES: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  404: status.NOT_FOUND,
  413: status.RESOURCE_EXHAUSTED,
  422: status.INVALID_ARGUMENT,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
};

/** The problem behind an error, and the status of gRPC that tells it. */
export function grpcProblem(error: unknown): Problem & { readonly code: status; readonly details: string } {
  const problem = error instanceof WireError ? { status: 400, detail: error.message } : problemOf(error);
  return { ...problem, code: CODES[problem.status] ?? status.INTERNAL, details: textOf(problem.detail) };
}
