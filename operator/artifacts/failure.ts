// What went wrong with a store, in our words: an answer's body, or any other text a store chose, never reaches status, events or logs.
import { MAX_MESSAGE } from '../domain/status.ts';
import type { StoreFailureReason } from '../domain/observed.ts';

export interface StoreFailure {
  readonly reason: StoreFailureReason;
  /** At most 256 characters: what was asked, why it failed, HTTP code and request id. */
  readonly message: string;
  /** Equal for the same failure: the message is not, since each request has an id. */
  readonly cause: string;
}

/** A store call that failed, or a source that cannot be opened. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly failure: StoreFailure;

  constructor(failure: StoreFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** What was asked, for the message. */
export interface AskedFor {
  readonly operation: 'HEAD' | 'List';
  readonly bucket: string;
  /** Key of a HEAD, prefix of a List. */
  readonly key: string;
  readonly versionId?: string | undefined;
}

export interface Judgement {
  readonly reason: StoreFailureReason;
  readonly text: string;
}

/** What is known of a call that failed. */
export interface CallFacts {
  readonly name?: string | undefined;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  /** Node's code of a connection or TLS error. */
  readonly code?: string | undefined;
}

const MAX_KEY = 100;

/** True when no further call to this bucket makes sense for now. */
export function isOutage({ reason }: StoreFailure): boolean {
  return reason === 'Throttled' || reason === 'StoreUnreachable';
}

/** True when other credentials may help. */
export function isRefusal({ reason }: StoreFailure): boolean {
  return reason === 'AccessDenied' || reason === 'InvalidCredentials';
}

/** A failure that is found before any call is made. */
export function sourceFailure(reason: StoreFailureReason, message: string): StoreFailure {
  return { reason, message: message.slice(0, MAX_MESSAGE), cause: message };
}

/** The failure of a call, as it was judged. */
export function callFailure({ reason, text }: Judgement, facts: CallFacts, asked: AskedFor): StoreFailure {
  const status = facts.status === undefined ? [] : [`HTTP ${facts.status}`];
  const id = facts.requestId === undefined ? [] : [`request id ${facts.requestId}`];
  const details = [...status, ...id].join(', ');
  const key = asked.key.length > MAX_KEY ? `…${asked.key.slice(-MAX_KEY)}` : asked.key;
  const message = `${asked.operation} ${asked.bucket}/${key}: ${text}${details === '' ? '' : ` (${details})`}`;
  return {
    reason,
    message: message.slice(0, MAX_MESSAGE),
    cause: `${reason} ${facts.status ?? facts.code ?? facts.name ?? ''}`,
  };
}

/** Name and code of a thrown error; a code that is none of Node's is left out. */
export function connectionFacts(error: unknown): Pick<CallFacts, 'name' | 'code'> {
  const code = property(error, 'code');
  return {
    name: error instanceof Error ? error.name : '',
    code: typeof code === 'string' && /^[A-Z0-9_]{2,60}$/.test(code) ? code : undefined,
  };
}

/** What a call means that got no answer. */
export function unreachable({ name, code }: CallFacts): Judgement {
  const isTimeout = name === 'TimeoutError' || name === 'AbortError' || code === 'ETIMEDOUT';
  return {
    reason: 'StoreUnreachable',
    text: isTimeout ? 'no answer in time' : `no connection (${code ?? 'unknown error'})`,
  };
}

/** A member of anything that was thrown. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
