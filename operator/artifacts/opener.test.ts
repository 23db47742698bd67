import { beforeEach, describe, expect, it } from 'vitest';
import { FakeBucket } from '../../test/support/fake-bucket.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { StoreError } from './failure.ts';
import { createSourceOpener, mayUseOwnIdentity, type SecretView, type SourceOpener } from './opener.ts';
import type { ArtifactSource } from './source.ts';
import type { StoreAccess } from './store-clients.ts';

const { signal } = new AbortController();
const SOURCE: ArtifactSource = { store: 'minio', bucket: 'models', namespace: 'ml', credentialsSecret: 's3-read' };

let clock: FakeClock;
let created: StoreAccess[];
let read: string[];
let secret: SecretView | undefined | Error;
let opener: SourceOpener;

beforeEach(() => {
  clock = new FakeClock();
  created = [];
  read = [];
  secret = aSecret('1');
  opener = createSourceOpener({
    clock,
    stores: {
      aws: { forcePathStyle: false },
      minio: {
        endpoint: 'http://minio:9000',
        forcePathStyle: true,
        allowOperatorIdentity: { namespaces: ['ml'], buckets: ['models'] },
      },
      files: {
        kind: 'http',
        url: 'https://files.example/models',
        allowOperatorIdentity: { namespaces: ['ml'], buckets: ['models'] },
      },
    },
    readSecret: (namespace, name) => {
      read.push(`${namespace}/${name}`);
      return secret instanceof Error ? Promise.reject(secret) : Promise.resolve(secret);
    },
    openStore: (access) => {
      created.push(access);
      return () => new FakeBucket(clock);
    },
  });
});

function aSecret(resourceVersion: string, data: Record<string, string> = {}): SecretView {
  const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret\n', ...data };
  const encoded = Object.entries(keys).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  return { uid: 'u', resourceVersion, data: Object.fromEntries(encoded) as Record<string, string> };
}

async function failureOf(call: Promise<unknown>) {
  const error: unknown = await call.catch((thrown: unknown) => thrown);
  if (error instanceof StoreError) return error.failure;
  throw new Error(`got ${String(error)}`);
}

describe('credentials from a Secret', () => {
  it('make one client for all buckets, and are read once in five minutes', async () => {
    const first = await opener.open(SOURCE, false, signal);
    const second = await opener.open({ ...SOURCE, bucket: 'other' }, false, signal);
    await clock.advance(300_000);
    await opener.open(SOURCE, false, signal);

    expect(second.identity).toBe(first.identity);
    expect(created).toHaveLength(1);
    expect(created[0]).toEqual({
      kind: 's3',
      store: { endpoint: 'http://minio:9000', forcePathStyle: true },
      region: undefined,
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    });
    expect(read).toEqual(['ml/s3-read', 'ml/s3-read']);
  });

  it('get a new client when the Secret has changed', async () => {
    const before = await opener.open(SOURCE, false, signal);
    secret = aSecret('2', { AWS_SESSION_TOKEN: 'session' });

    const after = await opener.open(SOURCE, true, signal);

    expect(after.identity).not.toBe(before.identity);
    expect(created[1]).toMatchObject({ credentials: { sessionToken: 'session' } });
  });

  it('are not shared between namespaces', async () => {
    await opener.open(SOURCE, false, signal);
    await opener.open({ ...SOURCE, namespace: 'other' }, false, signal);

    expect(read).toEqual(['ml/s3-read', 'other/s3-read']);
    expect(created).toHaveLength(2);
  });

  it('are used no longer once the Secret is deleted', async () => {
    await opener.open(SOURCE, false, signal);
    secret = undefined;

    const failure = await failureOf(opener.open(SOURCE, true, signal));
    const again = await failureOf(opener.open(SOURCE, false, signal));

    expect(failure).toMatchObject({
      reason: 'InvalidCredentials',
      message: 'Secret s3-read does not exist in namespace ml',
    });
    expect(again.reason).toBe('InvalidCredentials');
  });

  it('are kept while the API server cannot be asked', async () => {
    const before = await opener.open(SOURCE, false, signal);
    secret = new Error('canary of the API server');
    await clock.advance(300_000);

    expect((await opener.open(SOURCE, false, signal)).identity).toBe(before.identity);
    expect(await failureOf(opener.open({ ...SOURCE, namespace: 'other' }, false, signal))).toMatchObject({
      reason: 'InvalidCredentials',
      message: 'Secret s3-read cannot be read at present',
    });
  });

  it('that are not there are named', async () => {
    secret = aSecret('1', { AWS_SECRET_ACCESS_KEY: '' });

    expect((await failureOf(opener.open(SOURCE, false, signal))).message).toBe(
      'Secret s3-read needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  });
});

describe("the operator's own identity", () => {
  const own: ArtifactSource = { store: 'minio', bucket: 'models', namespace: 'ml' };

  it('is used where the configuration allows namespace and bucket', async () => {
    expect((await opener.open(own, false, signal)).identity).toBe('operator');
    expect(created[0]).toMatchObject({ kind: 's3', credentials: undefined });
    expect(read).toEqual([]);
  });

  it.each([
    ['another namespace', { namespace: 'other' }],
    ['another bucket', { bucket: 'payroll' }],
    ['a store that allows none', { store: 'aws' }],
  ])('is not used for %s', async (_what, change) => {
    const { reason, message } = await failureOf(opener.open({ ...own, ...change }, false, signal));

    expect(reason).toBe('AccessDenied');
    expect(message).toContain('credentialsSecretRef');
    expect(created).toEqual([]);
  });

  it('may be allowed for all by a star', () => {
    const store = { forcePathStyle: false, allowOperatorIdentity: { namespaces: ['*'], buckets: ['models'] } };

    expect(mayUseOwnIdentity(store, 'any', 'models')).toBe(true);
    expect(mayUseOwnIdentity(store, 'any', 'other')).toBe(false);
  });
});

it.each([
  ['a store that the configuration does not have', { store: 'gone' }, 'UnknownStore'],
  ['a prototype for a store', { store: 'constructor' }, 'UnknownStore'],
  ['no bucket', { bucket: undefined }, 'NoSuchBucket'],
])('%s is a refusal', async (_what, change, reason) => {
  expect((await failureOf(opener.open({ ...SOURCE, ...change }, false, signal))).reason).toBe(reason);
});

describe('a store of kind http', () => {
  const files: ArtifactSource = { ...SOURCE, store: 'files', credentialsSecret: 'files-read' };
  const secretOf = (data: Record<string, string>): SecretView => ({
    ...aSecret('1', { AWS_ACCESS_KEY_ID: '', ...data }),
  });

  it.each([
    ['a token', { MODEL_STORE_TOKEN: 't\n' }, 'Bearer t'],
    ['a name and a password', { MODEL_STORE_USERNAME: 'u', MODEL_STORE_PASSWORD: 'p\n' }, `Basic ${btoa('u:p')}`],
  ])('is asked with %s of the Secret', async (_what, data, authorization) => {
    secret = secretOf(data);

    await opener.open(files, false, signal);

    expect(created).toEqual([
      { kind: 'http', store: { kind: 'http', url: 'https://files.example/models' }, authorization },
    ]);
  });

  it.each([
    [{}, 'Secret files-read needs MODEL_STORE_TOKEN, or MODEL_STORE_USERNAME and MODEL_STORE_PASSWORD'],
    [{ MODEL_STORE_PASSWORD: 'p' }, 'Secret files-read needs MODEL_STORE_TOKEN, or'],
    [{ MODEL_STORE_TOKEN: 'two\nlines' }, 'MODEL_STORE_TOKEN of Secret files-read must be one line of printable ASCII'],
  ])('is not asked with %j', async (data, message) => {
    secret = secretOf(data);

    const failure = await failureOf(opener.open(files, false, signal));

    expect(failure).toMatchObject({
      reason: 'InvalidCredentials',
      message: expect.stringContaining(message) as string,
    });
    expect(created).toEqual([]);
  });

  it('is asked without a login only for whom the configuration allows it', async () => {
    const open: ArtifactSource = { store: 'files', bucket: 'models', namespace: 'ml' };

    await opener.open(open, false, signal);
    const refused = await failureOf(opener.open({ ...open, namespace: 'other' }, false, signal));

    expect(created).toMatchObject([{ kind: 'http', authorization: undefined }]);
    expect(refused.reason).toBe('AccessDenied');
  });
});
