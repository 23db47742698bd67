// Calls to the admin port of the model pods. What a call was answered with is a value; only an aborted signal throws.
import type * as z from 'zod';
import {
  ADMIN_PORT,
  ARTIFACT_REASONS,
  DrainAnswer,
  ModelInfo,
  ORDER_REASONS,
  ReloadAnswer,
  STORE_REASONS,
  type FailureReason,
  type ReloadBody,
} from '../../inference/contract.ts';
import { MAX_MESSAGE } from '../domain/status.ts';
import type { Clock } from '../runtime/clock.ts';
import { JsonHttp, UnreachableError, type Address, type JsonAnswer } from './json-http.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  /** The call is given up after this many ms. */
  readonly deadlineMs: number;
}

export interface Unreachable {
  readonly kind: 'unreachable';
  /** At most 256 characters. */
  readonly message: string;
  /** There was no connection: the call cannot have had an effect. */
  readonly isRefused?: true;
}

export type ReloadOutcome =
  /** What it serves now, its own report says. */
  | { readonly kind: 'loaded' | 'unchanged' | 'loading' }
  /** The artifact is bad: another attempt cannot help. */
  | { readonly kind: 'refused'; readonly reason: FailureReason; readonly message: string }
  /** The pod has seen a higher sequence: what we wanted is history. */
  | { readonly kind: 'stale'; readonly reason: FailureReason; readonly message: string }
  /** The pod could not get the artifact: the same call may succeed later. */
  | { readonly kind: 'store'; readonly reason: FailureReason; readonly message: string }
  | Unreachable;

export type InfoOutcome =
  | { readonly kind: 'info'; readonly info: ModelInfo }
  /** The pod was started with another token. */
  | { readonly kind: 'unauthorized' }
  | Unreachable;
export type DrainOutcome = { readonly kind: 'draining'; readonly remaining: number } | Unreachable;

/** The calls that reconcile makes to model pods, by pod address. */
export interface ReloadClient {
  reload(ip: string, token: string, body: ReloadBody, options: CallOptions): Promise<ReloadOutcome>;
  info(ip: string, token: string, options: CallOptions): Promise<InfoOutcome>;
  drain(ip: string, token: string, id: string, options: CallOptions): Promise<DrainOutcome>;
  close(): void;
}

export interface ReloadClientOptions {
  readonly clock: Clock;
  /** Where a pod's admin port really is. Default: the pod's own address. */
  readonly addressOf?: (ip: string) => Address;
}

const MAX_ANSWER_BYTES = 1024 * 1024;

/** A client with connections of its own, until `close`. */
export function createReloadClient({ clock, addressOf = adminAddress }: ReloadClientOptions): ReloadClient {
  const http = new JsonHttp(clock);
  const post = (ip: string, token: string, path: string, body: unknown, options: CallOptions) =>
    http.call({ method: 'POST', address: addressOf(ip), path, token, body, maxBytes: MAX_ANSWER_BYTES, ...options });
  return {
    reload: (ip, token, body, options) => outcome(post(ip, token, '/model/reload', body, options), reloadOutcome),
    info: (ip, token, options) => {
      const call = { method: 'GET' as const, address: addressOf(ip), path: '/model/info', token };
      return outcome(http.call({ ...call, maxBytes: MAX_ANSWER_BYTES, ...options }), infoOutcome);
    },
    drain: (ip, token, id, options) => outcome(post(ip, token, '/drain', { id }, options), drainOutcome),
    close: () => http.close(),
  };
}

function adminAddress(ip: string): Address {
  return { host: ip, port: ADMIN_PORT };
}

async function outcome<T>(answer: Promise<JsonAnswer>, read: (answer: JsonAnswer) => T): Promise<T | Unreachable> {
  try {
    return read(await answer);
  } catch (error) {
    if (error instanceof UnreachableError)
      return { ...unreachable(error.message), ...(error.isRefused && { isRefused: true }) };
    throw error;
  }
}

/** What an answer of POST /model/reload means. The reason decides, not the status: a 401 or a proxy's 404 says nothing about the artifact. */
export function reloadOutcome({ status, body }: JsonAnswer): ReloadOutcome {
  const answer = parsed(ReloadAnswer, body);
  if (answer === undefined) return unexpected('/model/reload', status);
  if (answer.error !== undefined) return failureOutcome(status, answer.error);
  if (answer.status === undefined || (status !== 200 && status !== 202)) return unexpected('/model/reload', status);
  return { kind: answer.status };
}

function failureOutcome(
  status: number,
  { reason, message }: { reason: FailureReason; message: string },
): ReloadOutcome {
  const failure = { reason, message: message.slice(0, MAX_MESSAGE) };
  if (isOneOf(ARTIFACT_REASONS, reason)) return { kind: 'refused', ...failure };
  if (isOneOf(ORDER_REASONS, reason)) return { kind: 'stale', ...failure };
  if (isOneOf(STORE_REASONS, reason)) return { kind: 'store', ...failure };
  return unreachable(`/model/reload answered ${status} ${reason}: ${message}`);
}

function infoOutcome({ status, body }: JsonAnswer): InfoOutcome {
  if (status === 401) return { kind: 'unauthorized' };
  // 503 while nothing is loaded: the answer still says why.
  const info = status === 200 || status === 503 ? parsed(ModelInfo, body) : undefined;
  return info === undefined ? unexpected('/model/info', status) : { kind: 'info', info };
}

function drainOutcome({ status, body }: JsonAnswer): DrainOutcome {
  const answer = status === 200 || status === 202 ? parsed(DrainAnswer, body) : undefined;
  return answer === undefined ? unexpected('/drain', status) : { kind: 'draining', remaining: answer.remaining };
}

function parsed<S extends z.ZodType>(schema: S, body: unknown): z.output<S> | undefined {
  const result = schema.safeParse(body);
  return result.success ? result.data : undefined;
}

function unexpected(path: string, status: number): Unreachable {
  return unreachable(`${path} answered ${status} in an unknown form`);
}

function unreachable(message: string): Unreachable {
  return { kind: 'unreachable', message: message.slice(0, MAX_MESSAGE) };
}

function isOneOf(reasons: readonly string[], reason: string): boolean {
  return reasons.includes(reason);
}
