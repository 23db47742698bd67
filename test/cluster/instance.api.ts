// The instance of tier api itself: what the other tests of this tier build on.
import {
  GetObjectCommand,
  PutBucketVersioningCommand,
  CreateBucketCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from './cluster.ts';
import { openTier, uniqueName } from '../support/tier.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openTier();
});

describe('the control plane', () => {
  it('serves the pinned version and gives namespaces their ServiceAccount', async () => {
    const namespace = uniqueName('instance');

    await cluster.kubectl(['create', 'namespace', namespace]);
    await cluster.kubectl([
      'wait',
      '--for=create',
      '--timeout=20s',
      'serviceaccount/default',
      '--namespace',
      namespace,
    ]);

    const version = JSON.parse(await cluster.kubectl(['version', '--output=json'])) as { serverVersion: object };
    expect(version.serverVersion).toMatchObject({ gitVersion: 'v1.36.3' });
  });

  it('writes who asked what to the audit log', async () => {
    const name = uniqueName('audit');

    await cluster.kubectl(['create', 'configmap', name, '--namespace=default']);

    const lines = (await readFile(cluster.auditLog, 'utf8')).split('\n').filter((line) => line.includes(name));
    const event = JSON.parse(lines[0] ?? '{}') as object;
    expect(event).toMatchObject({ verb: 'create', stage: 'ResponseComplete', level: 'Metadata' });
    expect(event).toHaveProperty('userAgent', expect.stringMatching(/^kubectl\//));
  });
});

describe('the S3 server', () => {
  it('keeps the versions of a versioned bucket', async () => {
    const { hostEndpoint: endpoint, region, accessKeyId, secretAccessKey } = cluster.s3;
    const client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    const Bucket = uniqueName('bucket');
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));

    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: 'model', Body: 'one' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'model', Body: 'two' }));

    const first = await client.send(new GetObjectCommand({ Bucket, Key: 'model', VersionId }));
    const latest = await client.send(new GetObjectCommand({ Bucket, Key: 'model' }));
    expect(await first.Body?.transformToString()).toBe('one');
    expect(await latest.Body?.transformToString()).toBe('two');
    client.destroy();
  });
});
