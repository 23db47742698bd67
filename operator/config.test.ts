import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, settingsOf } from './config.ts';

const FILE = '/etc/switchyard/config.yaml';

function missing(): string {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
}

function load(yaml: string | undefined, env: Record<string, string> = {}) {
  return loadConfig(env, () => yaml ?? missing());
}

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('the configuration', () => {
  it('works without file and environment', () => {
    expect(load(undefined)).toMatchObject({
      stores: { aws: { forcePathStyle: false } },
      workers: 8,
      resync: 300_000,
      leaderElection: { enabled: true },
      ports: { health: 8082, metrics: 8083 },
      logLevel: 'info',
    });
  });

  it('reads stores by name and keeps aws', () => {
    const yaml = `
      stores:
        minio:
          endpoint: http://minio.storage:9000
          forcePathStyle: true
          allowOperatorIdentity: {namespaces: [ml], buckets: ["*"]}
      resync: 1m`;

    expect(load(yaml)).toMatchObject({
      stores: {
        aws: { forcePathStyle: false },
        minio: {
          endpoint: 'http://minio.storage:9000',
          forcePathStyle: true,
          allowOperatorIdentity: { namespaces: ['ml'], buckets: ['*'] },
        },
      },
      resync: 60_000,
    });
  });

  it('reads a web server as a store', () => {
    const yaml = `
      stores:
        files: {kind: http, url: "https://files.example/models", allowOperatorIdentity: {namespaces: ["*"], buckets: [public]}}
        minio: {kind: s3, endpoint: "http://minio:9000", region: eu}`;

    const { stores } = load(yaml);

    expect(stores['files']).toEqual({
      kind: 'http',
      url: 'https://files.example/models',
      allowOperatorIdentity: { namespaces: ['*'], buckets: ['public'] },
    });
    // What pods are told has to be understood by those of an older release too.
    expect([...Object.values(stores)].map(settingsOf)).toEqual([
      { forcePathStyle: false },
      { kind: 'http', url: 'https://files.example/models' },
      { endpoint: 'http://minio:9000', region: 'eu', forcePathStyle: false },
    ]);
  });

  it('lets the environment win over the file, field by field', () => {
    const env = {
      WORKERS: '3',
      INFERENCE_IMAGE: 'i:2',
      LEADER_ELECTION: 'false',
      AWS_REGION: 'eu-west-1',
      LOG_LEVEL: '',
    };

    const config = load('{workers: 5, logLevel: debug, images: {router: "r:1", inference: "i:1"}}', env);

    expect(config).toMatchObject({
      workers: 3,
      logLevel: 'debug',
      images: { router: 'r:1', inference: 'i:2' },
      leaderElection: { enabled: false },
      defaultRegion: 'eu-west-1',
    });
  });

  it('takes every name that Kubernetes takes', () => {
    const config = load('leaderElection: {leaseName: a.b-1}', { POD_NAMESPACE: '0-ml' });

    expect(config).toMatchObject({ leaderElection: { leaseName: 'a.b-1' }, podNamespace: '0-ml' });
  });

  it('cannot be changed', () => {
    const config = load('{stores: {minio: {endpoint: "http://m:9000"}}}');

    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.stores['minio'])).toBe(true);
  });
});

describe('a configuration that cannot be used', () => {
  it.each([
    ['a wrong value', 'workers: many', {}, `${FILE}: workers: must be a whole number from 1 to 64`],
    [
      'a wrong value deep inside',
      '{stores: {minio: {endpoint: "minio:9000"}}}',
      {},
      `${FILE}: stores.minio.endpoint: must be a URL such as https://minio.example.com:9000`,
    ],
    ['a misspelt field', 'worker: 3', {}, `${FILE}: worker: unknown; remove it or correct its spelling`],
    [
      'a misspelt field of a store',
      '{stores: {minio: {endPoint: "http://m"}}}',
      {},
      `${FILE}: stores.minio.endPoint: unknown; remove it or correct its spelling`,
    ],
    [
      'a store name that is none',
      '{stores: {MinIO: {}}}',
      {},
      `${FILE}: stores.MinIO: must be named by a DNS label such as minio`,
    ],
    ['a kind of store that is none', '{stores: {a: {kind: ftp}}}', {}, `${FILE}: stores.a.kind: must be s3 or http`],
    [
      'a web server without an address',
      '{stores: {a: {kind: http}}}',
      {},
      `${FILE}: stores.a.url: must be a URL such as https://files.example/models, without user name, password or query`,
    ],
    [
      'a login in an address',
      '{stores: {a: {kind: http, url: "https://u:canary@files.example"}}}',
      {},
      `${FILE}: stores.a.url: must be a URL such as https://files.example/models, without user name, password or query`,
    ],
    [
      'S3 settings of a web server',
      '{stores: {a: {kind: http, url: "http://files", region: eu}}}',
      {},
      `${FILE}: stores.a.region: unknown; remove it or correct its spelling`,
    ],
    ['a list', '[1]', {}, `${FILE}: must be a mapping such as "stores: {minio: {endpoint: …}}"`],
    [
      'a wrong variable',
      undefined,
      { WORKERS: 'x' },
      'environment variable WORKERS: must be a whole number from 1 to 64',
    ],
    [
      'a wrong flag',
      undefined,
      { LEADER_ELECTION: 'no' },
      'environment variable LEADER_ELECTION: must be true or false',
    ],
    [
      'a wrong duration',
      undefined,
      { RESYNC: '5' },
      'environment variable RESYNC: must be a duration such as 30s or 5m',
    ],
    ['a resync without a pause', 'resync: 0s', {}, `${FILE}: resync: must be from 1s to 168h`],
    ['a resync that never comes', 'resync: 99999h', {}, `${FILE}: resync: must be from 1s to 168h`],
    [
      'credentials in an endpoint',
      '{stores: {minio: {endpoint: "http://user:canary@m:9000"}}}',
      {},
      `${FILE}: stores.minio.endpoint: must not hold a user name or password: they belong in a Secret`,
    ],
  ])('%s', (_what, yaml, env, expected) => {
    expect(messageOf(() => load(yaml, env))).toBe(expected);
  });

  it.each([
    ['stores:', 'stores'],
    ['stores: []', 'stores'],
    ['stores: minio', 'stores'],
    ['stores: {minio: }', 'stores.minio'],
    ['images:', 'images'],
    ['ports:', 'ports'],
    ['leaderElection:', 'leaderElection'],
  ])('a setting with nothing in it: %s', (yaml, field) => {
    expect(messageOf(() => load(yaml))).toBe(
      `${FILE}: ${field}: must be a mapping such as {}; fill it in or leave it out`,
    );
  });

  it.each(['Switchyard', '-a', 'a-', 'a.b', 'a_b', 'a b'])('a namespace that cannot be: %s', (POD_NAMESPACE) => {
    expect(messageOf(() => load(undefined, { POD_NAMESPACE }))).toBe(
      'environment variable POD_NAMESPACE: must be the namespace of this pod: small letters, digits and inner dashes',
    );
  });

  it('a namespace that is too long', () => {
    expect(messageOf(() => load(`podNamespace: ${'a'.repeat(64)}`))).toBe(
      `${FILE}: podNamespace: must be the namespace of this pod: at most 63 characters`,
    );
  });

  it.each(['Lease', 'a..b', '.a', 'a/b'])('a lease that cannot be: %s', (name) => {
    expect(messageOf(() => load(`leaderElection: {leaseName: ${name}}`))).toBe(
      `${FILE}: leaderElection.leaseName: must be the name of a Lease: small letters, digits and inner dashes`,
    );
  });

  it('names the line of a YAML error', () => {
    expect(messageOf(() => load('a: [1\nb: 2'))).toMatch(/^\/etc\/switchyard\/config\.yaml: is not YAML: .*line 2/);
  });

  it('is one that was named and is not there', () => {
    const message = messageOf(() => load(undefined, { SWITCHYARD_CONFIG: '/tmp/none.yaml' }));

    expect(message).toBe('/tmp/none.yaml: cannot be read (ENOENT): create it or unset SWITCHYARD_CONFIG');
  });

  it('is one that cannot be read, at the usual place too', () => {
    const denied = () => {
      throw Object.assign(new Error('denied'), { code: 'EACCES' });
    };

    expect(messageOf(() => loadConfig({}, denied))).toBe(
      `${FILE}: cannot be read (EACCES): make it readable for the operator`,
    );
  });

  it('is told in one error for all fields', () => {
    expect(messageOf(() => load('{workers: 0, resync: soon}')).split('; ')).toHaveLength(2);
  });
});
