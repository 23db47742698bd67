// What the errors of the AWS SDK mean.
import { StoreError, callFailure, connectionFacts, property, unreachable } from './failure.ts';
import type { AskedFor, CallFacts, Judgement, StoreFailure } from './failure.ts';

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

/** The failure behind an error that the AWS SDK threw. */
export function toS3Failure(error: unknown, asked: AskedFor): StoreFailure {
  if (error instanceof StoreError) return error.failure;
  const facts = factsOf(error);
  return callFailure(judge(facts, asked), facts, asked);
}

function factsOf(error: unknown): CallFacts {
  const metadata = property(error, '$metadata');
  const status = property(metadata, 'httpStatusCode');
  const requestId = property(metadata, 'requestId');
  return {
    ...connectionFacts(error),
    status: typeof status === 'number' ? status : undefined,
    requestId: typeof requestId === 'string' && /^[A-Za-z0-9+/=_-]{1,64}$/.test(requestId) ? requestId : undefined,
  };
}

function judge(facts: CallFacts, asked: AskedFor): Judgement {
  if (facts.name === 'CredentialsProviderError') {
    return {
      reason: 'InvalidCredentials',
      text: 'no credentials: name a Secret in spec.source.s3.credentialsSecretRef',
    };
  }
  if (facts.status === undefined) return unreachable(facts);
  return byName(facts.name ?? '', asked) ?? byStatus(facts.status, asked);
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
