import { describe, expect, it } from 'vitest';
import { toS3Failure } from './s3-failure.ts';

const HEAD = { operation: 'HEAD', bucket: 'models', key: 'retail/model.tar.gz' } as const;

function sdkError(name: string, status?: number, extra: object = {}): Error {
  const metadata = status === undefined ? {} : { httpStatusCode: status, requestId: 'REQ1' };
  return Object.assign(new Error('<Error>canary</Error>'), { name, $metadata: metadata, ...extra });
}

describe('the reason of a failed call', () => {
  it.each([
    ['NotFound', 404, 'NoSuchKey'],
    ['NoSuchBucket', 404, 'NoSuchBucket'],
    ['MethodNotAllowed', 405, 'NoSuchKey'],
    ['Unknown', 403, 'AccessDenied'],
    ['AccessDenied', 403, 'AccessDenied'],
    ['RequestTimeTooSkewed', 403, 'AccessDenied'],
    ['SignatureDoesNotMatch', 403, 'InvalidCredentials'],
    ['InvalidAccessKeyId', 403, 'InvalidCredentials'],
    ['ExpiredToken', 400, 'InvalidCredentials'],
    ['BadRequest', 400, 'InvalidCredentials'],
    ['SlowDown', 503, 'Throttled'],
    ['Unknown', 503, 'Throttled'],
    ['Unknown', 429, 'Throttled'],
    ['PermanentRedirect', 301, 'NoSuchBucket'],
    ['InternalError', 500, 'StoreUnreachable'],
    ['TimeoutError', undefined, 'StoreUnreachable'],
    ['CredentialsProviderError', undefined, 'InvalidCredentials'],
  ])('%s %s → %s', (name, status, reason) => {
    expect(toS3Failure(sdkError(name, status), HEAD).reason).toBe(reason);
  });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'DEPTH_ZERO_SELF_SIGNED_CERT'])('%s → StoreUnreachable, by name', (code) => {
    expect(toS3Failure(sdkError('Error', undefined, { code }), HEAD)).toEqual({
      reason: 'StoreUnreachable',
      message: `HEAD models/retail/model.tar.gz: no connection (${code})`,
      cause: `StoreUnreachable ${code}`,
    });
  });

  it('a version id that the store does not understand is a missing version', () => {
    const { reason, message } = toS3Failure(sdkError('BadRequest', 400), { ...HEAD, versionId: 'nope' });

    expect(reason).toBe('NoSuchKey');
    expect(message).toContain('no version nope');
  });
});

describe('the message', () => {
  it('has what was asked, the HTTP code and the request id, and nothing that the store wrote', () => {
    const { message } = toS3Failure(sdkError('Unknown', 403), HEAD);

    expect(message).toBe(
      'HEAD models/retail/model.tar.gz: s3:GetObject is not allowed, or the key does not exist and s3:ListBucket is not allowed (HTTP 403, request id REQ1)',
    );
  });

  it('is bounded', () => {
    const { message } = toS3Failure(sdkError('Unknown', 403), { ...HEAD, key: 'é'.repeat(1024) });

    expect(message.length).toBeLessThanOrEqual(256);
    expect(message).toContain('HTTP 403');
  });

  it('leaves out a request id or code that is none', () => {
    const evil = sdkError('x', undefined, {
      $metadata: { httpStatusCode: 500, requestId: 'a\nb <canary>' },
      code: 'canary text',
    });

    expect(JSON.stringify(toS3Failure(evil, HEAD))).not.toContain('canary');
  });

  it('has the same cause for the same failure, although each request has its own id', () => {
    const other = sdkError('Unknown', 403, { $metadata: { httpStatusCode: 403, requestId: 'REQ2' } });

    expect(toS3Failure(other, HEAD).cause).toBe(toS3Failure(sdkError('Unknown', 403), HEAD).cause);
  });

  it('is made of anything that is thrown', () => {
    expect(toS3Failure('a string', HEAD).reason).toBe('StoreUnreachable');
    expect(toS3Failure(undefined, HEAD).reason).toBe('StoreUnreachable');
  });
});
