// The poller against a real S3 server: versions, overwrites, delete markers, refusals, and the server gone for a while.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSourceOpener } from '../../operator/artifacts/opener.ts';
import { ArtifactPoller } from '../../operator/artifacts/poller.ts';
import type { Resolution, WantedArtifact } from '../../operator/artifacts/source.ts';
import { StoreClients } from '../../operator/artifacts/store-clients.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { readInstance } from '../cluster/state.ts';
import { openDoor } from '../support/door.ts';
import { openTier, uniqueName } from '../support/tier.ts';

const cluster = await openTier();
const store = cluster.s3;
const { accessKeyId, secretAccessKey } = store;
const admin = new S3Client({
  endpoint: store.hostEndpoint,
  region: store.region,
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
});

let bucket: string;
let credentials: { accessKeyId: string; secretAccessKey: string };
let endpoint: string;
let changes: string[];
let calls: string[];
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  bucket = uniqueName('poller');
  credentials = { accessKeyId, secretAccessKey };
  endpoint = store.hostEndpoint;
  changes = [];
  calls = [];
  stops = [];
  await admin.send(new CreateBucketCommand({ Bucket: bucket }));
});

afterEach(async () => {
  for (const stop of stops) await stop();
});

function startPoller(): ArtifactPoller {
  const clients = new StoreClients(systemClock);
  const opener = createSourceOpener({
    clock: systemClock,
    stores: { minio: { endpoint, region: store.region, forcePathStyle: true } },
    openStore: (access) => clients.open(access),
    readSecret: () => {
      const encode = (value: string) => Buffer.from(value).toString('base64');
      const data = {
        AWS_ACCESS_KEY_ID: encode(credentials.accessKeyId),
        AWS_SECRET_ACCESS_KEY: encode(credentials.secretAccessKey),
      };
      return Promise.resolve({ uid: 'u', resourceVersion: credentials.secretAccessKey, data });
    },
  });
  const poller = new ArtifactPoller({
    clock: systemClock,
    random: Math.random,
    opener,
    onChange: (resource) => changes.push(resource),
    onError: (error) => {
      throw error;
    },
    onCall: (operation, outcome) => calls.push(`${operation} ${outcome}`),
  });
  stops.push(async () => {
    await poller.stop();
    clients.close();
  });
  return poller;
}

function wanted(key: string, overrides: Partial<WantedArtifact> = {}): WantedArtifact {
  const source = { store: 'minio', bucket, namespace: 'ml', credentialsSecret: 's3-read' };
  return { source, key, intervalMs: 200, ...overrides };
}

const put = (Key: string, Body: string, extra: object = {}) =>
  admin.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ...extra }));
const enableVersioning = () =>
  admin.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));

async function reached<K extends Resolution['kind']>(
  poller: ArtifactPoller,
  want: WantedArtifact,
  kind: K,
  isIt: (resolution: Extract<Resolution, { kind: K }>) => boolean = () => true,
): Promise<Extract<Resolution, { kind: K }>> {
  return vi.waitFor(
    () => {
      const resolution = poller.resolution(want);
      if (resolution.kind !== kind || !isIt(resolution as Extract<Resolution, { kind: K }>)) {
        throw new Error(`is ${JSON.stringify(resolution)}`);
      }
      return resolution as Extract<Resolution, { kind: K }>;
    },
    { timeout: 20_000, interval: 20 },
  );
}

describe('a versioned bucket', () => {
  it('follows an overwrite, keeps the version over a delete marker, and finds a pin', async () => {
    await enableVersioning();
    const first = await put('retail/blue.tar.gz', 'one');
    await put('retail/green.tar.gz', 'green');
    const poller = startPoller();
    const [blue, green] = [wanted('retail/blue.tar.gz'), wanted('retail/green.tar.gz')];
    const pin = wanted('retail/blue.tar.gz', { versionId: first.VersionId });
    poller.want('ml/retail', [blue, green, pin]);
    const before = await reached(poller, blue, 'resolved');
    await reached(poller, green, 'resolved');

    const second = await put('retail/blue.tar.gz', 'two');
    const after = await reached(poller, blue, 'resolved', ({ artifact }) => artifact.versionId === second.VersionId);
    await admin.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'retail/blue.tar.gz' }));
    const deleted = await reached(poller, blue, 'failed');
    const third = await put('retail/blue.tar.gz', 'three');
    await reached(poller, blue, 'resolved', ({ artifact }) => artifact.versionId === third.VersionId);

    expect(before.artifact.versionId).toBe(first.VersionId);
    expect(after.listedAt).toBeGreaterThan(before.listedAt);
    expect(deleted).toMatchObject({ reason: 'NoSuchKey', last: { versionId: second.VersionId } });
    expect((await reached(poller, pin, 'resolved')).artifact.versionId).toBe(first.VersionId);
  });

  it('reads the SHA-256 that was given at the upload', async () => {
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    await put('a', 'abc', { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') });
    await put('b', 'abc', { Metadata: { sha256 } });
    const poller = startPoller();
    poller.want('ml/retail', [wanted('a'), wanted('b')]);

    expect((await reached(poller, wanted('a'), 'resolved')).artifact.sha256).toBe(sha256);
    expect((await reached(poller, wanted('b'), 'resolved')).artifact.sha256).toBe(sha256);
  });

  it('says that a pinned version does not exist', async () => {
    await enableVersioning();
    await put('a', 'one');
    const poller = startPoller();
    const pin = wanted('a', { versionId: '01JZZZZZZZZZZZZZZZZZZZZZZZ' });
    poller.want('ml/retail', [pin]);

    expect((await reached(poller, pin, 'failed')).reason).toBe('NoSuchKey');
  });
});

describe('an unversioned bucket', () => {
  it('tells versions by their ETag and asks by List alone while nothing changes', async () => {
    const keys = ['m/a b+c.tar.gz', 'm/ünïcode.tar.gz'];
    for (const key of keys) await put(key, 'one');
    const poller = startPoller();
    poller.want(
      'ml/retail',
      keys.map((key) => wanted(key)),
    );
    for (const key of keys) await reached(poller, wanted(key), 'resolved');
    calls.length = 0;
    changes.length = 0;
    await vi.waitFor(() => expect(calls.length).toBeGreaterThanOrEqual(5), { timeout: 10_000 });
    const quiet = [...calls];

    const { ETag } = await put(keys[0] ?? '', 'two');
    const after = await reached(poller, wanted(keys[0] ?? ''), 'resolved', ({ artifact }) => artifact.etag === ETag);

    expect(new Set(quiet)).toEqual(new Set(['list ok']));
    expect(after.artifact).not.toHaveProperty('versionId');
    expect(changes).toEqual(['ml/retail']);
  });

  it('waits for a key that is not there yet', async () => {
    const poller = startPoller();
    poller.want('ml/retail', [wanted('a')]);
    const missing = await reached(poller, wanted('a'), 'failed');

    await put('a', 'one');
    await reached(poller, wanted('a'), 'resolved');

    expect(missing).toMatchObject({ reason: 'NoSuchKey' });
    expect(missing.message).toContain('HTTP 404');
  });
});

it('pages through a folder of more than 1,000 objects', { timeout: 120_000 }, async () => {
  const keys = Array.from({ length: 1030 }, (_, index) => `m/${String(index).padStart(4, '0')}`);
  for (let start = 0; start < keys.length; start += 32) {
    await Promise.all(keys.slice(start, start + 32).map((key) => put(key, 'x')));
  }
  const poller = startPoller();
  const followed = [...keys.slice(0, 3), ...keys.slice(-3)].map((key) => wanted(key));
  poller.want('ml/retail', followed);
  for (const want of followed) await reached(poller, want, 'resolved');
  calls.length = 0;

  await vi.waitFor(() => expect(calls.length).toBeGreaterThanOrEqual(4), { timeout: 20_000 });

  expect(new Set(calls)).toEqual(new Set(['list ok']));
});

describe('refusals', () => {
  it('names a bucket that does not exist', async () => {
    const poller = startPoller();
    const source = { ...wanted('a').source, bucket: uniqueName('none') };
    poller.want('ml/retail', [wanted('a', { source })]);

    expect((await reached(poller, wanted('a', { source }), 'failed')).reason).toBe('NoSuchBucket');
  });

  it('tells wrong credentials, and goes on when the Secret is corrected', async () => {
    await put('m/a', 'one');
    await put('m/b', 'one');
    credentials = { accessKeyId, secretAccessKey: 'wrong' };
    const poller = startPoller();
    poller.want('ml/retail', [wanted('m/a'), wanted('m/b')]);
    const refused = await reached(poller, wanted('m/a'), 'failed');
    credentials = { accessKeyId, secretAccessKey };

    await reached(poller, wanted('m/a'), 'resolved');

    expect(refused.reason).toBe('InvalidCredentials');
    expect(JSON.stringify(refused)).not.toContain('wrong');
  });

  it('reads single keys where it may not list, and names both causes where it may not read', async () => {
    credentials = await createUser();
    await put('m/a', 'one');
    await put('m/b', 'one');
    const poller = startPoller();
    const keys = [wanted('m/a'), wanted('m/b')];
    poller.want('ml/retail', keys);
    const denied = await reached(poller, wanted('m/a'), 'failed');

    await allow(credentials.accessKeyId, ['s3:GetObject']);
    poller.poke('ml/retail');
    for (const key of keys) await reached(poller, key, 'resolved');

    expect(denied.reason).toBe('AccessDenied');
    expect(denied.message).toMatch(/GetObject.*ListBucket.*HTTP 403/);
    expect(calls).toContain('list AccessDenied');
  });
});

it('keeps the last version while the server is gone, and goes on when it is back', async () => {
  const door = await openDoor(store.hostEndpoint);
  stops.push(() => door.close());
  endpoint = door.endpoint;
  await put('a', 'one');
  const poller = startPoller();
  poller.want('ml/retail', [wanted('a')]);
  const { artifact } = await reached(poller, wanted('a'), 'resolved');

  await door.close();
  const down = await reached(poller, wanted('a'), 'failed');
  const { ETag } = await put('a', 'two');
  await door.open();
  await reached(poller, wanted('a'), 'resolved', (resolution) => resolution.artifact.etag === ETag);

  expect(down).toMatchObject({ reason: 'StoreUnreachable', last: artifact });
});

/** A user of the S3 server that may do nothing yet. */
async function createUser(): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const instance = await readInstance(cluster.runDir);
  const user = { accessKeyId: uniqueName('user'), secretAccessKey: uniqueName('secret') };
  await promisify(execFile)(instance?.binaries.versitygw ?? '', [
    ...['admin', '--endpoint-url', store.hostEndpoint, '--access', accessKeyId, '--secret', secretAccessKey],
    ...['--region', store.region, 'create-user', '--role', 'user'],
    ...['--access', user.accessKeyId, '--secret', user.secretAccessKey],
  ]);
  return user;
}

async function allow(user: string, Action: readonly string[]): Promise<void> {
  const Resource = [`arn:aws:s3:::${bucket}/*`];
  const Statement = [{ Effect: 'Allow', Principal: { AWS: [user] }, Action, Resource }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await admin.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
}
