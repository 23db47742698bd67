// The S3 server as a data scientist uses it.
import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Cluster } from '../cluster/cluster.ts';

export interface Uploaded {
  /** Opaque, without the quotes. */
  readonly etag: string;
  /** Only where the bucket has versioning. */
  readonly versionId: string | undefined;
  /** performance.now() when the store had confirmed it. */
  readonly atMs: number;
}

export class Store {
  readonly #client: S3Client;

  constructor({ hostEndpoint, region, accessKeyId, secretAccessKey }: Cluster['s3']) {
    this.#client = new S3Client({
      endpoint: hostEndpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  /** Fine when the bucket exists and is ours. */
  async makeBucket(bucket: string, { versioned }: { readonly versioned: boolean }): Promise<void> {
    await this.#client.send(new CreateBucketCommand({ Bucket: bucket }), deadline()).catch((error: unknown) => {
      if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
    });
    if (!versioned) return;
    const configuration = { Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } } as const;
    await this.#client.send(new PutBucketVersioningCommand(configuration), deadline());
  }

  async upload(bucket: string, key: string, bytes: Buffer): Promise<Uploaded> {
    const put = new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes });
    const { ETag = '', VersionId } = await this.#client.send(put, deadline());
    return { etag: ETag.replaceAll('"', ''), versionId: VersionId, atMs: performance.now() };
  }

  async remove(bucket: string, key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), deadline());
  }

  close(): void {
    this.#client.destroy();
  }
}

const deadline = () => ({ abortSignal: AbortSignal.timeout(30_000) });
