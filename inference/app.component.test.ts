import { Agent, request } from 'node:http';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startFakeS3 } from '../test/support/fake-s3.ts';
import type { FakeS3 } from '../test/support/fake-s3.ts';
import { desiredEnv, fixture, fixturePath, startInference } from '../test/support/inference-rig.ts';
import type { Rig } from '../test/support/inference-rig.ts';
import { replaceFile } from '../test/support/replace-file.ts';

const KEY = 'retail/model.tar.gz';
const BODY = '{"basket_items":{"a":{"price":12.5}}}';

let s3: FakeS3;
let dir: string;

beforeAll(async () => {
  s3 = await startFakeS3();
  dir = await mkdtemp(join(tmpdir(), 'switchyard-app-'));
});
afterAll(async () => {
  await s3.close();
  await rm(dir, { recursive: true });
});

interface Load {
  /** Ends the load; how many requests were answered, by status and version, and how many were not. */
  stop(): Promise<{ readonly answers: Record<string, number>; readonly failed: string[] }>;
  answered(): number;
}

/** Keep-alive clients without any retry, each sending its next request when it has its answer. */
function loadOn(url: string, clients: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const answers: Record<string, number> = {};
  const failed: string[] = [];
  let going = true;
  let count = 0;
  const send = () =>
    new Promise<void>((resolve) => {
      const call = request(`${url}/predict`, { method: 'POST', agent }, (response) => {
        response.resume().on('end', () => {
          const key = `${response.statusCode ?? 0} ${String(response.headers['x-model-version'])}`;
          answers[key] = (answers[key] ?? 0) + 1;
          count += 1;
          resolve();
        });
      });
      call.on('error', (error) => {
        failed.push(error.message);
        resolve();
      });
      call.end(BODY);
    });
  const client = async () => {
    while (going) await send();
  };
  const running = Array.from({ length: clients }, client);
  return {
    answered: () => count,
    async stop() {
      going = false;
      await Promise.all(running);
      agent.destroy();
      return { answers, failed };
    },
  };
}

const settings = () => ({ endpoint: s3.endpoint, region: 'eu-central-1', forcePathStyle: true });
const aDesired = (artifact: object, more = {}) => ({
  artifact: { store: settings(), bucket: 'models', key: KEY, ...artifact },
  sequence: 1,
  modelDeployment: 'retail',
  variant: 'blue',
  revision: 'r1',
  ...more,
});

it('says so when MODEL_PATH is a directory without a model, and does not call that a broken download', async () => {
  const server = await startInference({ MODEL_PATH: dir }, { waitForLoad: false });

  await vi.waitFor(() => expect(server.logs.some(({ msg }) => msg === 'model not loaded')).toBe(true));

  expect(server.logs.find(({ msg }) => msg === 'model not loaded')).toMatchObject({
    reason: 'NoSuchKey',
    detail: expect.stringContaining(`There is no model in ${dir} (`) as string,
  });
  await server.stop();
});

describe('under load', () => {
  it('swaps models, in a worker, without losing or mixing a request', async () => {
    s3.createBucket('models', { versioned: true });
    const versions = ['basket-blue', 'basket-blue-2'].map((name) => s3.put('models', KEY, fixture(name)));
    const server = await startInference(await desiredEnv(dir, aDesired({ ...versions[0] })), { inWorker: true });
    const load = loadOn(server.url, 16);

    const statuses: number[] = [];
    for (let sequence = 2; sequence < 6; sequence += 1) {
      const { status } = await server.admin('POST', '/model/reload', {
        sequence,
        key: KEY,
        ...versions[(sequence + 1) % 2],
      });
      statuses.push(status);
    }
    const { answers, failed } = await load.stop();

    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(failed).toEqual([]);
    expect(Object.keys(answers).sort()).toEqual(['200 blue-1', '200 blue-2']);
    expect(server.app.served()).toBe(Object.values(answers).reduce((sum, count) => sum + count, 0));
    await server.stop();
  });

  it('ends without losing a request: not ready at once, closes connections by its answers', async () => {
    const server = await startInference({ MODEL_PATH: fixturePath('basket-blue') });
    const load = loadOn(server.url, 8);
    await vi.waitFor(() => expect(load.answered()).toBeGreaterThan(50));

    const stopping = server.stop(1500); // longer than the load takes to end on a busy machine
    const [ready, live, answer] = await Promise.all([
      server.get('/ready'),
      server.get('/live'),
      server.post('/predict', BODY),
    ]);
    const { failed } = await load.stop();
    await stopping;

    expect([ready.status, live.status, answer.status]).toEqual([503, 200, 200]);
    expect(answer.headers.get('connection')).toBe('close');
    expect(failed).toEqual([]);
  });

  it('drains the connections that are open: each ends with its next answer, new ones stay, and so does being ready', async () => {
    const server = await startInference({ MODEL_PATH: fixturePath('basket-blue') });
    const load = loadOn(server.url, 8);
    await vi.waitFor(() => expect(load.answered()).toBeGreaterThan(20));

    const first = await server.admin('POST', '/drain', { id: 'd1' });
    const during = await server.get('/ready');
    await vi.waitFor(async () => {
      expect((await server.admin('POST', '/drain', { id: 'd1' })).json).toEqual({ id: 'd1', remaining: 0 });
    });
    const { failed } = await load.stop();

    expect(first).toMatchObject({ status: 200, json: { id: 'd1', remaining: 8 } });
    expect(failed).toEqual([]);
    expect([during.status, (await server.get('/ready')).status]).toEqual([200, 200]);
    await server.stop();
  });
});

describe('the first load', () => {
  it('asks a store that is down again until it answers', async () => {
    s3.createBucket('models');
    s3.put('models', KEY, fixture('basket-blue'));
    s3.faults.push(...Array.from({ length: 7 }, () => ({ kind: 'status', status: 503, code: 'SlowDown' }) as const));

    const server = await startInference(await desiredEnv(dir, aDesired({})));

    expect((await server.get('/health')).json).toMatchObject({
      status: 'healthy',
      version: 'blue-1',
      model_loaded: true,
    });
    await server.stop();
  });

  it('does not ask again for a bad artifact: alive, not ready, and the admin port says why until a reload mends it', async () => {
    s3.createBucket('models');
    const bad = s3.put('models', KEY, Buffer.from('bad'));
    const server = await startInference(await desiredEnv(dir, aDesired({ etag: bad.etag })));

    const states = [
      await server.get('/live'),
      await server.get('/ready'),
      await server.get('/health'),
      await server.get('/model/info'),
    ];
    const info = await server.admin('GET', '/model/info');
    const good = s3.put('models', KEY, fixture('basket-green'));
    const mended = await server.admin('POST', '/model/reload', {
      sequence: 2,
      revision: 'r2',
      key: KEY,
      etag: good.etag,
    });

    expect(states.map(({ status }) => status)).toEqual([200, 503, 503, 503]);
    expect(states[1]?.json).toEqual({ detail: 'Model not ready' });
    expect(info.json).toMatchObject({
      version: null,
      artifact: null,
      failure: { reason: 'ArtifactInvalid', revision: 'r1', sequence: 1 },
    });
    expect([mended.status, (await server.get('/ready')).status]).toEqual([200, 200]);
    await server.stop();
  });

  it('takes the artifact from a sibling when the store has something else', async () => {
    s3.createBucket('models');
    const { etag, sha256 } = s3.put('models', KEY, fixture('basket-blue'));
    const sibling = await startInference(await desiredEnv(dir, aDesired({ etag, sha256 })));
    s3.put('models', KEY, fixture('basket-green'));

    const late = await startInference(
      await desiredEnv(dir, aDesired({ etag, sha256 }, { siblings: sibling.adminUrl })),
    );

    expect(late.logs).toContainEqual(
      expect.objectContaining({ msg: 'took the artifact from a sibling', reason: 'ObjectChanged' }),
    );
    expect((await late.get('/model/info')).json).toMatchObject({ version: 'blue-1', artifact: { sha256 } });
    await Promise.all([sibling.stop(), late.stop()]);
  });

  it('reports what the store has when no sibling has it either', async () => {
    s3.createBucket('models');
    const { etag, sha256 } = s3.put('models', KEY, fixture('basket-blue'));
    s3.put('models', KEY, fixture('basket-green'));
    const desired = aDesired({ etag, sha256 }, { siblings: 'http://127.0.0.1:9/' });

    const server = await startInference(await desiredEnv(dir, desired), { waitForLoad: false });

    await vi.waitFor(async () => {
      expect((await server.admin('GET', '/model/info')).json).toMatchObject({ failure: { reason: 'ObjectChanged' } });
    });
    await server.stop();
  });
});

describe('alone', () => {
  let server: Rig;
  let path: string;

  beforeAll(async () => {
    path = join(dir, 'model.tar.gz');
    await copyFile(fixturePath('basket-blue'), path);
    server = await startInference({ MODEL_PATH: path, MODEL_POLL_SECONDS: '0.03', ALLOW_PUBLIC_RELOAD: 'true' });
  });
  afterAll(() => server.stop());

  it('follows its file, and skips what is broken', async () => {
    await replaceFile(path, fixture('basket-blue-2'));

    await vi.waitFor(async () => expect((await server.get('/health')).json).toMatchObject({ version: 'blue-2' }));
  });

  it('offers the public reload of the Python service when asked to', async () => {
    expect(await server.post('/model/reload', {})).toMatchObject({
      status: 200,
      json: { message: 'Model reload initiated' },
    });
  });

  it('serves only its own file, whoever asks', async () => {
    const other = await server.admin('POST', '/model/reload', { sequence: 1, key: '/etc/passwd' });

    expect(other).toMatchObject({ status: 400, json: { error: { reason: 'InvalidRequest' } } });
  });
});

it('keeps tokens and bodies out of its log', async () => {
  const server = await startInference({ MODEL_PATH: fixturePath('basket-blue'), LOG_LEVEL: 'debug' });

  await server.post('/predict', '{"basket_items":{"secret-item":5}}', { 'x-request-id': 'req-7' });
  await server.admin('GET', '/model/info');
  await server.stop();

  const text = JSON.stringify(server.logs);
  expect(text).toContain('req-7');
  expect(text).not.toMatch(/secret-item|a-token-for-tests-only/);
});
