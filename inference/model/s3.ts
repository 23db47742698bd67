// An S3 bucket, of AWS or anybody else, as a store. A version is pinned by VersionId and If-Match, so that HEAD and GET never see two objects.
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import type { S3Settings } from '../contract.ts';
import { LoadError } from '../errors.ts';
import { isSameEtag } from '../etag.ts';
import { save, tooLarge, unreachable, within } from './download.ts';
import type { Limits } from './download.ts';
import type { Fetched, Store, Version, Wanted } from './store.ts';

const CONNECT_MS = 3_000;
const ANSWER_MS = 15_000;

export interface S3Options {
  readonly settings: S3Settings;
  readonly bucket: string;
  /** Fixed credentials; without them the SDK's default chain (environment, web identity, container, instance). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly answerMs?: number;
}

export function s3Store(options: S3Options): Store {
  return new S3Store(options);
}

class S3Store implements Store {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #deadlineMs: number;

  constructor({ settings, bucket, credentials, answerMs = ANSWER_MS }: S3Options) {
    this.#bucket = bucket;
    this.#deadlineMs = CONNECT_MS + answerMs;
    this.#client = new S3Client({
      region: settings.region ?? 'us-east-1',
      forcePathStyle: settings.forcePathStyle,
      ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
      ...(credentials && { credentials }),
      maxAttempts: 1, // retries are counted in one place: artifacts.ts
      // The SDK's newer default checksums break many compatible stores.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: answerMs, throwOnRequestTimeout: true },
    });
  }

  async look(key: string, signal: AbortSignal): Promise<Version> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key });
    const { VersionId, ETag } = await this.#answer(key, signal, (options) => this.#client.send(command, options));
    return versionOf(key, VersionId, ETag);
  }

  async fetch(wanted: Wanted, path: string, limits: Limits, signal: AbortSignal): Promise<Fetched> {
    const where = this.#where(wanted.key);
    const answer = await this.#get(wanted, signal);
    const { Body: body, ContentLength: length, ETag: etag } = answer;
    if (!(body instanceof Readable)) throw unreachable(`${where}: an answer without a body`, undefined);
    const problem = mismatch(where, wanted, { length, etag }, limits);
    if (problem !== undefined) {
      body.destroy();
      throw problem;
    }
    const saved = await save(body, path, limits, signal);
    if (length !== undefined && saved.size !== length) {
      throw unreachable(`${where}: ${saved.size} bytes of ${length} arrived`, undefined);
    }
    checkDeclared(where, answer.Metadata?.['sha256'], saved.sha256);
    return { ...versionOf(wanted.key, answer.VersionId, etag), ...saved };
  }

  #get({ key, versionId, etag }: Wanted, signal: AbortSignal) {
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ...(versionId !== undefined && { VersionId: versionId }),
      ...(etag !== undefined && { IfMatch: etag }),
    });
    return this.#answer(key, signal, (options) => this.#client.send(command, options));
  }

  /** The head of an answer within the deadline; a body has its own stall clock. */
  async #answer<T>(key: string, signal: AbortSignal, send: (options: { abortSignal: AbortSignal }) => Promise<T>) {
    try {
      return await within(this.#deadlineMs, signal, (abortSignal) => send({ abortSignal }));
    } catch (error) {
      signal.throwIfAborted();
      throw s3Error(this.#where(key), error);
    }
  }

  #where(key: string): string {
    return `s3://${this.#bucket}/${key}`;
  }
}

/** The uploader may have written the hash into the object's metadata (`x-amz-meta-sha256`). */
function checkDeclared(where: string, declared: string | undefined, found: string): void {
  if (declared === undefined || declared.toLowerCase() === found) return;
  throw new LoadError('ChecksumMismatch', `${where}: its metadata says sha256 ${declared}, its bytes have ${found}`);
}

/** Some stores ignore If-Match (s3rver answers 200): so the answer is looked at as well. */
function mismatch(
  where: string,
  wanted: Wanted,
  found: { readonly length: number | undefined; readonly etag: string | undefined },
  { maxBytes }: Limits,
): LoadError | undefined {
  const { length = 0, etag } = found;
  if (wanted.etag !== undefined && etag !== undefined && !isSameEtag(etag, wanted.etag)) {
    return new LoadError('ObjectChanged', `${where} has ETag ${etag} now, ${wanted.etag} was asked for`);
  }
  if (wanted.size !== undefined && length !== wanted.size) {
    return new LoadError('ObjectChanged', `${where} has ${length} bytes now, ${wanted.size} were asked for`);
  }
  return length > maxBytes ? tooLarge(maxBytes) : undefined;
}

function versionOf(key: string, versionId: string | undefined, etag: string | undefined): Version {
  return { key, ...(versionId !== undefined && { versionId }), ...(etag !== undefined && { etag }) };
}

const DENIED = new Set([
  'AccessDenied',
  'Forbidden',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'CredentialsProviderError',
]);

/** The SDK's error in the contract's words. */
function s3Error(where: string, error: unknown): LoadError {
  const name = error instanceof Error ? error.name : 'Unknown';
  const status = httpStatus(error);
  if (DENIED.has(name) || status === 401 || status === 403) {
    return new LoadError('AccessDenied', `${where}: access denied (${name}). It needs s3:GetObject`, { cause: error });
  }
  if (name === 'NoSuchBucket') {
    return new LoadError('NoSuchBucket', `${where}: there is no such bucket`, { cause: error });
  }
  if (status === 412) {
    return new LoadError('ObjectChanged', `${where} has been overwritten since it was asked for`, { cause: error });
  }
  if (status === 404 || name === 'NoSuchVersion') {
    return new LoadError('NoSuchKey', `${where}: there is no such object or version (${name})`, { cause: error });
  }
  const detail = status === undefined ? name : `${name}, HTTP ${status}`;
  return unreachable(`${where}: the store does not answer as it should (${detail})`, error);
}

function httpStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
