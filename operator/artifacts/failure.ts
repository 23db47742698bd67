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

interface Judgement {
  readonly reason: StoreFailureReason;
  readonly text: string;
}

const MAX_KEY = 100;
const BAD_CREDENTIALS = [
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
];
const THROTTLED = [
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'BandwidthLimitExceeded',
];

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

/** The failure behind an error that the AWS SDK threw. */
export function toStoreFailure(error: unknown, asked: AskedFor): StoreFailure {
  if (error instanceof StoreError) return error.failure;
  const facts = factsOf(error);
  const { reason, text } = judge(facts, asked);
  const status = facts.status === undefined ? [] : [`HTTP ${facts.status}`];
  const id = facts.requestId === undefined ? [] : [`request id ${facts.requestId}`];
  const details = [...status, ...id].join(', ');
  const key = asked.key.length > MAX_KEY ? `…${asked.key.slice(-MAX_KEY)}` : asked.key;
  const message = `${asked.operation} ${asked.bucket}/${key}: ${text}${details === '' ? '' : ` (${details})`}`;
  return {
    reason,
    message: message.slice(0, MAX_MESSAGE),
    cause: `${reason} ${facts.status ?? facts.code ?? facts.name}`,
  };
}

interface ErrorFacts {
  readonly name: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  /** Node's code of a connection or TLS error. */
  readonly code: string | undefined;
}

function factsOf(error: unknown): ErrorFacts {
  const metadata = property(error, '$metadata');
  const status = property(metadata, 'httpStatusCode');
  const code = property(error, 'code');
  const requestId = property(metadata, 'requestId');
  return {
    name: error instanceof Error ? error.name : '',
    status: typeof status === 'number' ? status : undefined,
    requestId: typeof requestId === 'string' && /^[A-Za-z0-9+/=_-]{1,64}$/.test(requestId) ? requestId : undefined,
    code: typeof code === 'string' && /^[A-Z0-9_]{2,60}$/.test(code) ? code : undefined,
  };
}

function judge(facts: ErrorFacts, asked: AskedFor): Judgement {
  if (facts.name === 'CredentialsProviderError') {
    return {
      reason: 'InvalidCredentials',
      text: 'no credentials: name a Secret in spec.source.s3.credentialsSecretRef',
    };
  }
  if (facts.status === undefined) return unreachable(facts);
  return byName(facts.name, asked) ?? byStatus(facts.status, asked);
}

function byName(name: string, { bucket }: AskedFor): Judgement | undefined {
  if (name === 'NoSuchBucket') return { reason: 'NoSuchBucket', text: `bucket ${bucket} does not exist` };
  if (name === 'RequestTimeTooSkewed')
    return { reason: 'AccessDenied', text: "the operator's clock differs from the store's" };
  if (BAD_CREDENTIALS.includes(name)) return { reason: 'InvalidCredentials', text: 'the credentials are not valid' };
  if (THROTTLED.includes(name)) return { reason: 'Throttled', text: 'the store asks for fewer requests' };
  return undefined;
}

function byStatus(status: number, asked: AskedFor): Judgement {
  if (status === 403 || status === 401) return { reason: 'AccessDenied', text: deniedText(asked) };
  if (status === 404 || status === 405) return { reason: 'NoSuchKey', text: missingText(asked) };
  if (status === 400 && asked.versionId !== undefined) return { reason: 'NoSuchKey', text: missingText(asked) };
  if (status === 400) return { reason: 'InvalidCredentials', text: 'refused: wrong region or expired credentials' };
  if (status >= 300 && status < 400)
    return { reason: 'NoSuchBucket', text: 'the bucket is in another region: set source.s3.region' };
  if (status === 429 || status === 503) return { reason: 'Throttled', text: 'the store asks for fewer requests' };
  return { reason: 'StoreUnreachable', text: 'the store failed' };
}

/** A store that may not say whether a key exists answers 403 for both. */
function deniedText({ operation }: AskedFor): string {
  if (operation === 'List') return 's3:ListBucket is not allowed';
  return 's3:GetObject is not allowed, or the key does not exist and s3:ListBucket is not allowed';
}

function missingText({ versionId }: AskedFor): string {
  return versionId === undefined ? 'the key does not exist' : `the key has no version ${versionId.slice(0, 64)}`;
}

function unreachable({ name, code }: ErrorFacts): Judgement {
  const isTimeout = name === 'TimeoutError' || name === 'AbortError' || code === 'ETIMEDOUT';
  return {
    reason: 'StoreUnreachable',
    text: isTimeout ? 'no answer in time' : `no connection (${code ?? 'unknown error'})`,
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
