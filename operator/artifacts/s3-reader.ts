// The two questions that the operator asks an object store, on the AWS SDK. It never asks for the bytes.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HeadObjectCommand, ListObjectsV2Command, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { StoreSettings } from '../../inference/contract.ts';
import type { ObjectFacts } from '../domain/artifact.ts';
import { withDeadline, type Clock } from '../runtime/clock.ts';
import { StoreError, toStoreFailure } from './failure.ts';

/** One object in a List. */
export interface ListedObject {
  readonly etag: string | undefined;
  readonly size: number | undefined;
  readonly lastModified: Date | undefined;
}

/** One page of a List: at most 1,000 keys, in S3's order. */
export interface Page {
  readonly objects: ReadonlyMap<string, ListedObject>;
  /** The last key of the page; undefined when it is empty. */
  readonly last: string | undefined;
  readonly truncated: boolean;
}

/** Asks about one bucket. Every call throws StoreError, or the signal's reason when that was aborted. */
export interface S3Reader {
  list(request: { readonly prefix: string; readonly startAfter: string }, signal: AbortSignal): Promise<Page>;
  head(
    request: { readonly key: string; readonly versionId?: string | undefined },
    signal: AbortSignal,
  ): Promise<ObjectFacts>;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3ClientInput {
  readonly store: StoreSettings;
  readonly region: string | undefined;
  /** Absent: the SDK's default chain, which finds IRSA and Pod Identity. */
  readonly credentials?: S3Credentials | undefined;
}

const CONNECT_MS = 3000;
const REQUEST_MS = 10_000;
/** Over both attempts of a call and the pause between them. */
const CALL_MS = 20_000;
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
export function createS3Reader(client: S3Client, bucket: string, clock: Clock): S3Reader {
  return {
    list: ({ prefix, startAfter }, signal) =>
      bounded(clock, signal, { operation: 'List', bucket, key: prefix }, async (abortSignal) => {
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
      }),
    head: ({ key, versionId }, signal) =>
      bounded(clock, signal, { operation: 'HEAD', bucket, key, versionId }, async (abortSignal) => {
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

async function bounded<T>(
  clock: Clock,
  parent: AbortSignal,
  asked: Parameters<typeof toStoreFailure>[1],
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = withDeadline(clock, CALL_MS, parent);
  try {
    return await call(deadline.signal);
  } catch (error) {
    if (parent.aborted) throw parent.reason;
    // Without the cause: the text of an upstream answer would travel in it to whoever logs the error.
    throw new StoreError(toStoreFailure(error, asked));
  } finally {
    deadline.done();
  }
}

/** S3's `encoding-type=url` writes a space as `+`. */
function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return encoded;
  }
}
