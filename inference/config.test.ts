import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';

const desired = {
  artifact: {
    store: { endpoint: 'http://s3:9000', forcePathStyle: true },
    bucket: 'models',
    key: 'a/model.tar.gz',
    etag: '"1"',
  },
  sequence: 7,
  siblings: 'http://retail--blue:8081',
  modelDeployment: 'retail',
  variant: 'blue',
  revision: 'r1',
};

describe('the configuration', () => {
  it('has the defaults of the Python service', () => {
    expect(loadConfig({})).toMatchObject({
      origin: { kind: 'file', path: 'model/model.tar.gz' },
      port: 8080,
      adminPort: 8081,
      logLevel: 'info',
      maxBodyBytes: 1024 * 1024,
      variant: 'default',
      allowPublicReload: false,
      allowSchemaChange: false,
    });
  });

  it('takes S3 where a region is set', () => {
    const { origin } = loadConfig({
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: 'http://minio:9000',
      S3_FORCE_PATH_STYLE: 'true',
    });

    expect(origin).toEqual({
      kind: 'object',
      artifact: {
        store: { region: 'eu-central-1', endpoint: 'http://minio:9000', forcePathStyle: true },
        bucket: 'mlops-retail-models',
        key: 'artifacts/model-v1/model.tar.gz',
      },
    });
  });

  it('takes a web server where its URL is set, also where a region is', () => {
    const config = loadConfig({
      MODEL_STORE_URL: 'https://files.example/models',
      MODEL_STORE_TOKEN: 'secret\n',
      MODEL_BUCKET: 'retail',
      MODEL_KEY: 'blue.tar.gz',
      AWS_REGION: 'eu-central-1',
    });

    expect(config.origin).toEqual({
      kind: 'object',
      artifact: { store: { kind: 'http', url: 'https://files.example/models' }, bucket: 'retail', key: 'blue.tar.gz' },
    });
    expect(config.storeAuthorization).toBe('Bearer secret');
    expect(JSON.stringify(config.origin)).not.toContain('secret');
  });

  it('takes a web server from the desired artifact file, and no region for it', () => {
    const store = { kind: 'http', url: 'http://files:8080' };
    const content = { ...desired, artifact: { ...desired.artifact, store } };

    const { origin } = loadConfig({ DESIRED_ARTIFACT_FILE: '/etc/a.json', AWS_REGION: 'x' }, () =>
      JSON.stringify(content),
    );

    expect(origin).toEqual({ kind: 'object', artifact: { ...content.artifact } });
  });

  it('goes by the desired artifact file where there is one', () => {
    const config = loadConfig({ DESIRED_ARTIFACT_FILE: '/etc/a.json', AWS_REGION: 'x', MODEL_POLL_SECONDS: '5' }, () =>
      JSON.stringify(desired),
    );

    expect(config).toMatchObject({
      sequence: 7,
      revision: 'r1',
      variant: 'blue',
      modelDeployment: 'retail',
      siblings: desired.siblings,
      pollMs: 0,
    });
    expect(config.origin).toMatchObject({
      kind: 'object',
      artifact: { bucket: 'models', store: { region: 'x', endpoint: 'http://s3:9000' } },
    });
  });

  it.each(['debug', 'INFO', 'Warning', 'critical'])('takes log levels as Python writes them: %s', (LOG_LEVEL) => {
    expect(['debug', 'info', 'warn', 'fatal']).toContain(loadConfig({ LOG_LEVEL }).logLevel);
  });

  it('is told once of each variable', () => {
    expect(() => loadConfig({ PORT: 'http' })).toThrow(/^PORT: must be a number from 0 to 65535$/);
  });

  it.each([
    [{ PORT: 'http' }, 'PORT: must be a number from 0 to 65535'],
    [{ PORT: '80.5' }, 'PORT: must be a whole number from 0 to 65535'],
    [{ PORT: '0x50' }, 'PORT: must be a number from 0 to 65535'],
    [{ PORT: '8e3' }, 'PORT: must be a number from 0 to 65535'],
    [{ MODEL_POLL_SECONDS: '1e1' }, 'MODEL_POLL_SECONDS: must be a number from 0 to 86400'],
    [{ ADMIN_PORT: '8080', ADMIN_TOKEN: 'x'.repeat(16) }, 'ADMIN_PORT: must differ from PORT, both are 8080'],
    [{ ADMIN_TOKEN: 'two lines\nof a token' }, 'ADMIN_TOKEN: must be one line of printable ASCII characters'],
    [{ ADMIN_TOKEN: 'a token with blanks' }, 'ADMIN_TOKEN: must be one line of printable ASCII characters'],
    [{ AWS_ENDPOINT_URL_S3: 'http://me:secret@s3:9000' }, 'AWS_ENDPOINT_URL_S3: must not hold a user name or password'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL: must be one of TRACE, DEBUG, INFO'],
    [{ ADMIN_TOKEN: 'short' }, 'ADMIN_TOKEN: must have at least 16 characters'],
    [{ AWS_ENDPOINT_URL_S3: 'minio' }, 'AWS_ENDPOINT_URL_S3: must be a URL such as http://minio:9000'],
    [
      { MODEL_STORE_URL: 'files.example/models' },
      'MODEL_STORE_URL: must be a URL such as https://files.example/models',
    ],
    [{ MODEL_STORE_URL: 'ftp://files.example' }, 'MODEL_STORE_URL: must be a URL'],
    [{ MODEL_STORE_URL: 'https://files.example/?sig=x' }, 'without user name, password or query'],
    [{ MODEL_STORE_TOKEN: 'a b' }, 'MODEL_STORE_TOKEN: must be one line of printable ASCII characters'],
    [{ S3_FORCE_PATH_STYLE: 'maybe' }, 'S3_FORCE_PATH_STYLE: must be true or false'],
    [{ DRAIN_SECONDS: '-1' }, 'DRAIN_SECONDS: must be a number from 0 to 600'],
  ])('refuses %j and says what to do', (env, message) => {
    expect(() => loadConfig(env)).toThrow(ConfigError);
    expect(() => loadConfig(env)).toThrow(message);
  });

  it('never repeats a password', () => {
    expect(() => loadConfig({ AWS_ENDPOINT_URL_S3: 'http://me:secret@s3:9000' })).not.toThrow('secret');
    expect(() => loadConfig({ MODEL_STORE_URL: 'http://me:secret@files' })).not.toThrow('secret');
  });

  it('takes a token from a file that ends its line', () => {
    expect(loadConfig({ ADMIN_TOKEN: 'a-token-for-tests-only\n' }).adminToken).toBe('a-token-for-tests-only');
  });

  it('asks for two ports only where both are opened', () => {
    expect(loadConfig({ PORT: '9000', ADMIN_PORT: '9000' }).port).toBe(9000);
    expect(loadConfig({ PORT: '0', ADMIN_PORT: '0', ADMIN_TOKEN: 'x'.repeat(16) }).port).toBe(0);
  });

  it('gives gRPC its port, unless something else has that one already', () => {
    expect(loadConfig({}).grpcPort).toBe(9000);
    expect(loadConfig({ GRPC_PORT: '0' }).grpcPort).toBe(0);
    expect(loadConfig({ PORT: '9000' }).grpcPort).toBe(0);
    expect(() => loadConfig({ PORT: '9000', GRPC_PORT: '9000' })).toThrow('GRPC_PORT: must differ from PORT');
    expect(() => loadConfig({ GRPC_PORT: '8081', ADMIN_TOKEN: 'x'.repeat(16) })).toThrow('must differ from ADMIN_PORT');
    expect(loadConfig({ GRPC_PORT: '8081' }).grpcPort).toBe(8081);
  });

  it.each([
    [undefined, '*'],
    ['*', '*'],
    ['none', []],
    ['https://a.example, http://localhost:3000', ['https://a.example', 'http://localhost:3000']],
  ])('lets pages of the origins %s call', (value, origins) => {
    expect(loadConfig({ CORS_ORIGINS: value }).corsOrigins).toEqual(origins);
  });

  it.each(['shop.example', 'https://shop.example/', '*,https://a.example', 'https://a b'])(
    'refuses %s as an origin',
    (value) => {
      expect(() => loadConfig({ CORS_ORIGINS: value })).toThrow('CORS_ORIGINS: must be *, none, or origins such as');
    },
  );

  it('keeps artifacts where it is told to, else in a directory that goes with the process', () => {
    expect(loadConfig({ ARTIFACT_DIR: '/a' })).toMatchObject({ artifactDir: '/a', artifactDirIsTemporary: false });
    expect(loadConfig({})).toMatchObject({ artifactDirIsTemporary: true });
  });

  it.each([
    [
      'missing',
      () => {
        throw new Error('ENOENT: no such file');
      },
      /cannot be read as JSON \(ENOENT/,
    ],
    ['not JSON', () => '{', /cannot be read as JSON/],
    [
      'of another form',
      () => JSON.stringify({ ...desired, sequence: 'x' }),
      /does not hold a desired artifact \(sequence: /,
    ],
  ])('refuses a desired artifact file that is %s', (_, read, message) => {
    expect(() => loadConfig({ DESIRED_ARTIFACT_FILE: '/etc/a.json' }, read)).toThrow(message);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });
});
