// An S3 bucket as the operator asks it, on the AWS SDK.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HeadObjectCommand, ListObjectsV2Command, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { S3Settings } from '../../inference/contract.ts';
import type { Clock } from '../runtime/clock.ts';
import { bounded, type ListedObject, type Page, type StoreReader } from './reader.ts';
import { toS3Failure } from './s3-failure.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3ClientInput {
  readonly store: S3Settings;
  readonly region: string | undefined;
  /** Absent: the SDK's default chain, which finds IRSA and Pod Identity. */
  readonly credentials?: S3Credentials | undefined;
}

const CONNECT_MS = 3000;
const REQUEST_MS = 10_000;
const MAX_ATTEMPTS = 2;

/** Makes clients that share their connections; `close` ends these. */
export class S3ClientFactory {
  readonly #httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 32 });
  readonly #httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 32 });

  create({ store, region, credentials }: S3ClientInput): S3Client {
    const custom: S3ClientConfig =
      store.endpoint === undefined
        ? {}
        : {
            endpoint: store.endpoint,
            // Since 3.729 the SDK sends checksums that other stores than AWS do not all understand.
            requestChecksumCalculation: 'WHEN_REQUIRED',
            responseChecksumValidation: 'WHEN_REQUIRED',
          };
    return new S3Client({
      ...custom,
      region: region ?? store.region ?? 'us-east-1',
      forcePathStyle: store.forcePathStyle,
      maxAttempts: MAX_ATTEMPTS,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: REQUEST_MS,
        throwOnRequestTimeout: true,
        httpAgent: this.#httpAgent,
        httpsAgent: this.#httpsAgent,
      },
      ...(credentials !== undefined && { credentials }),
    });
  }

  close(): void {
    this.#httpAgent.destroy();
    this.#httpsAgent.destroy();
  }
}

/** A reader of one bucket on a client. */
export function createS3Reader(client: S3Client, bucket: string, clock: Clock): StoreReader {
  const of = (operation: 'List' | 'HEAD', key: string, versionId?: string) => ({
    clock,
    asked: { operation, bucket, key, versionId },
    toFailure: toS3Failure,
  });
  return {
    canList: true,
    list: ({ prefix, startAfter }, signal) =>
      bounded(of('List', prefix), signal, (abortSignal) => pageOf(client, { bucket, prefix, startAfter }, abortSignal)),
    head: ({ key, versionId }, signal) =>
      bounded(of('HEAD', key, versionId), signal, async (abortSignal) => {
        const pin = versionId !== undefined && { VersionId: versionId };
        const command = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED', ...pin });
        const answer = await client.send(command, { abortSignal });
        return {
          versionId: answer.VersionId,
          etag: answer.ETag,
          size: answer.ContentLength,
          lastModified: answer.LastModified,
          checksumSha256: answer.ChecksumSHA256,
          checksumType: answer.ChecksumType,
          metadataSha256: answer.Metadata?.['sha256'],
        };
      }),
  };
}

async function pageOf(
  client: S3Client,
  { bucket, prefix, startAfter }: { readonly bucket: string; readonly prefix: string; readonly startAfter: string },
  abortSignal: AbortSignal,
): Promise<Page> {
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    EncodingType: 'url', // other keys of the bucket may hold characters that XML cannot
    ...(prefix !== '' && { Prefix: prefix }),
    ...(startAfter !== '' && { StartAfter: startAfter }),
  });
  const { Contents = [], IsTruncated = false, EncodingType } = await client.send(command, { abortSignal });
  const decode = EncodingType === 'url' ? decodeKey : (key: string) => key;
  const objects = new Map<string, ListedObject>();
  let last: string | undefined;
  for (const { Key, ETag, Size, LastModified } of Contents) {
    if (Key === undefined) continue;
    last = decode(Key);
    objects.set(last, { etag: ETag, size: Size, lastModified: LastModified });
  }
  return { objects, last, truncated: IsTruncated };
}

/** S3's `encoding-type=url` writes a space as `+`. */
function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return encoded;
  }
}
