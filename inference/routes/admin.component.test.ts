import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeS3 } from '../../test/support/fake-s3.ts';
import type { FakeS3, Fault } from '../../test/support/fake-s3.ts';
import { TOKEN, desiredEnv, fixture, startInference } from '../../test/support/inference-rig.ts';
import type { Reply, Rig } from '../../test/support/inference-rig.ts';
import { anArchive } from '../../test/support/an-archive.ts';
import { ModelInfo, ReloadAnswer } from '../contract.ts';
import type { ReloadBody } from '../contract.ts';

const KEY = 'retail/model.tar.gz';
const BASKET = { basket_items: { a: { price: 12.5 } } };

let s3: FakeS3;
let dir: string;

beforeAll(async () => {
  s3 = await startFakeS3();
  dir = await mkdtemp(join(tmpdir(), 'switchyard-admin-'));
});
afterAll(async () => {
  await s3.close();
  await rm(dir, { recursive: true });
});

/** A server on a bucket that holds basket-blue, pinned as the operator pins it. */
async function startPinned(versioned = true): Promise<Rig> {
  s3.requests.length = 0;
  s3.faults.length = 0;
  s3.createBucket('models', { versioned });
  const { versionId, etag, sha256 } = s3.put('models', KEY, fixture('basket-blue'));
  const store = { endpoint: s3.endpoint, region: 'eu-central-1', forcePathStyle: true };
  const artifact = { store, bucket: 'models', key: KEY, etag, sha256, ...(versioned && { versionId }) };
  const env = await desiredEnv(dir, {
    artifact,
    sequence: 1,
    modelDeployment: 'retail',
    variant: 'blue',
    revision: 'r1',
  });
  return startInference({ ...env, STALL_SECONDS: '0.6', LOAD_TIMEOUT_SECONDS: '3' });
}

async function reload(server: Rig, body: ReloadBody): Promise<{ status: number; answer: ReloadAnswer }> {
  const { status, json } = await server.admin('POST', '/model/reload', body);
  return { status, answer: ReloadAnswer.parse(json) };
}

async function info(server: Rig): Promise<ModelInfo> {
  return ModelInfo.parse((await server.admin('GET', '/model/info')).json);
}

const times = (count: number, fault: Fault): Fault[] => Array.from({ length: count }, () => fault);
const versionOf = ({ headers }: Reply) => headers.get('x-model-version');

describe('POST /model/reload', () => {
  it('leaves no file of an artifact that was refused', async () => {
    const server = await startPinned();
    const before = await readdir(join(server.dir, 'artifacts'));
    for (const sequence of [2, 3]) {
      const bad = s3.put('models', KEY, Buffer.from(`no archive ${sequence}`));
      expect((await reload(server, { sequence, key: KEY, ...bad })).status).toBe(422);
    }

    expect(await readdir(join(server.dir, 'artifacts'))).toEqual(before);
    await server.stop();
  });

  let server: Rig;

  beforeEach(async () => {
    server = await startPinned();
  });
  afterEach(() => server.stop());

  it('swaps the model in place and reports what is active', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));

    const { status, answer } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { status: 'loaded', active: { revision: 'r2', version: 'blue-2', versionId: 'v2', sha256: next.sha256 } },
    });
    expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-2');
    expect(await info(server)).toMatchObject({
      version: 'blue-2',
      variant: 'blue',
      sequence: 2,
      artifact: { revision: 'r2' },
    });
  });

  it('is idempotent: the active version again is unchanged, and costs no download', async () => {
    const { etag, versionId, sha256 } = (await info(server)).artifact ?? {};
    const before = s3.requests.length;

    const { status, answer } = await reload(server, {
      sequence: 5,
      revision: 'r1b',
      key: KEY,
      etag,
      versionId,
      sha256,
    });

    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { status: 'unchanged', active: { revision: 'r1b' } },
    });
    expect(s3.requests.length).toBe(before);
  });

  it('returns to the previous version without asking the store', async () => {
    const first = (await info(server)).artifact;
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next, keep: ['r1'] });
    const before = s3.requests.length;

    const { status, answer } = await reload(server, { sequence: 3, revision: 'r1', key: KEY, sha256: first?.sha256 });

    expect({ status, answer }).toMatchObject({
      status: 200,
      answer: { status: 'loaded', active: { revision: 'r1', version: 'blue-1' } },
    });
    expect(s3.requests.length).toBe(before);
  });

  it('refuses a lower sequence: a late call never undoes a newer one', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    await reload(server, { sequence: 9, revision: 'r2', key: KEY, ...next });

    const { status, answer } = await reload(server, { sequence: 8, revision: 'r1', key: KEY, versionId: 'v1' });

    expect({ status, answer }).toMatchObject({
      status: 409,
      answer: { error: { reason: 'StaleSequence' }, active: { version: 'blue-2' } },
    });
  });

  it('answers 202 when the load takes longer than the caller waits, and goes on', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    const gate = Promise.withResolvers<undefined>();
    s3.faults.push({ kind: 'first', run: () => gate.promise });

    const { status, answer } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next, wait: 0 });
    gate.resolve(undefined);
    const joined = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 202,
      answer: { status: 'loading', active: { version: 'blue-1' } },
    });
    expect(joined).toMatchObject({ status: 200, answer: { active: { version: 'blue-2' } } });
    expect(s3.requests.filter((line) => line.includes('versionId=v2'))).toHaveLength(1);
  });

  it('gives up a load in flight for a higher sequence', async () => {
    const second = s3.put('models', KEY, fixture('basket-blue-2'));
    const third = s3.put('models', KEY, fixture('basket-green'));
    const [reached, never] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    s3.faults.push({ kind: 'first', run: () => (reached.resolve(undefined), never.promise) });

    const overtaken = reload(server, { sequence: 2, revision: 'r2', key: KEY, ...second });
    await reached.promise;
    const winner = await reload(server, { sequence: 3, revision: 'r3', key: KEY, ...third });

    expect(await overtaken).toMatchObject({ status: 409, answer: { error: { reason: 'Superseded' } } });
    expect(winner).toMatchObject({ status: 200, answer: { active: { version: 'green-1' } } });
    expect((await info(server)).failure).toBeUndefined();
    never.resolve(undefined);
  });

  it('forgets the failure after a success', async () => {
    const bad = s3.put('models', KEY, Buffer.from('bad'));
    await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...bad });
    const first = (await info(server)).artifact;

    await reload(server, { sequence: 3, revision: 'r1', key: KEY, sha256: first?.sha256 });

    expect((await info(server)).failure).toBeUndefined();
  });

  it('gives up a load that takes too long', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    const never = Promise.withResolvers<undefined>();
    s3.faults.push({ kind: 'first', run: () => never.promise });

    const { status, answer } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 502,
      answer: { error: { reason: 'LoadTimeout' }, active: { version: 'blue-1' } },
    });
    never.resolve(undefined);
  });

  it('tries again after a fault that passes', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    s3.faults.push({ kind: 'cut', after: 1000 }, { kind: 'stall', after: 1000 });

    const { status } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });

    expect(status).toBe(200);
    expect((await info(server)).version).toBe('blue-2');
  });

  it('is also the load call of the V2 repository extension', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));

    const known = await server.admin('POST', '/v2/repository/models/retail/load', { sequence: 2, key: KEY, ...next });
    const unknown = await server.admin('POST', '/v2/repository/models/other/load', { sequence: 3, key: KEY });

    expect([known.status, unknown.status]).toEqual([200, 404]);
  });
});

describe('a refused reload', () => {
  let server: Rig;
  let sequence = 1;

  beforeAll(async () => {
    server = await startPinned();
  });
  beforeEach(() => {
    sequence += 1;
  });
  afterAll(() => server.stop());

  const iris = () => fixture('iris-sk132');
  const cut = () => fixture('basket-blue-2').subarray(0, 30_000);
  it.each([
    ['a truncated archive', cut, 'ArtifactInvalid'],
    ['text', () => Buffer.from('not an archive'), 'ArtifactInvalid'],
    ['features that do not match', iris, 'SchemaIncompatible'],
    [
      'a pickle that calls os.system',
      () => anArchive([['model.joblib', 'cos\nsystem\n(S"true"\ntR.']]),
      'UnsupportedModel',
    ],
  ])('refuses %s with 422 and keeps the old model', async (_, bytes, reason) => {
    const next = s3.put('models', KEY, await bytes());

    const { status, answer } = await reload(server, { sequence, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 422,
      answer: { error: { reason }, active: { version: 'blue-1' } },
    });
    expect(await info(server)).toMatchObject({
      version: 'blue-1',
      sequence,
      failure: { reason, revision: 'r2', sequence },
    });
    expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-1');
    expect((await server.get('/ready')).status).toBe(200);
  });

  it('refuses bytes that do not have the promised sha256', async () => {
    const { etag, versionId } = s3.put('models', KEY, fixture('basket-blue-2'));

    const { status, answer } = await reload(server, {
      sequence,
      key: KEY,
      etag,
      versionId,
      sha256: 'ab'.repeat(32),
    });

    expect({ status, answer }).toMatchObject({ status: 422, answer: { error: { reason: 'ChecksumMismatch' } } });
  });

  it.each([
    ['a key that does not exist', { key: 'nothing' }, [], 'NoSuchKey'],
    ['a version that does not exist', { key: KEY, versionId: 'v99' }, [], 'NoSuchKey'],
    ['an object that was overwritten', { key: KEY, etag: '"other"' }, [], 'ObjectChanged'],
    ['no permission', { key: KEY }, times(1, { kind: 'status', status: 403, code: 'AccessDenied' }), 'AccessDenied'],
    [
      'a store that is down',
      { key: KEY },
      times(3, { kind: 'status', status: 503, code: 'SlowDown' }),
      'StoreUnreachable',
    ],
    ['a body that breaks off', { key: KEY }, times(3, { kind: 'cut', after: 1000 }), 'StoreUnreachable'],
  ] as const)('answers 502 for %s', async (_, version, faults, reason) => {
    s3.put('models', KEY, fixture('basket-blue-2'));
    s3.faults.push(...faults);

    const { status, answer } = await reload(server, { sequence, ...version });

    expect({ status, answer }).toMatchObject({
      status: 502,
      answer: { error: { reason }, active: { version: 'blue-1' } },
    });
  });

  it.each([
    ['no sequence', { key: KEY }],
    ['an unknown field', { sequence: 99, key: KEY, url: 'http://elsewhere' }],
    ['a sequence that is no number', { sequence: 'x', key: KEY }],
    ['no JSON', '{'],
    ['a list', '[]'],
  ])('answers 400 for a body with %s', async (_, body) => {
    const { status, json } = await server.admin('POST', '/model/reload', body);

    expect({ status, json }).toMatchObject({ status: 400, json: { error: { reason: 'InvalidRequest' } } });
    expect((await info(server)).sequence).toBeLessThan(sequence);
  });
});

describe('the admin port', () => {
  let server: Rig;

  beforeAll(async () => {
    server = await startPinned(false);
  });
  afterAll(() => server.stop());

  it.each(['', 'Bearer wrong', `bearer ${TOKEN}x`, TOKEN])('asks for the token (%j)', async (authorization) => {
    const paths = ['/model/info', `/artifacts/${'0'.repeat(64)}`, '/nothing'];
    const answers = await Promise.all(
      paths.map((path) => fetch(server.adminUrl + path, { headers: { authorization } })),
    );

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });

  it('is not reachable by way of the public port', async () => {
    const calls = [
      await server.post('/model/reload', { sequence: 9, key: KEY }),
      await server.post('/drain', { id: 'x' }),
      await server.get('/artifacts/0'),
    ];

    expect(calls.map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  it('gives a kept artifact to siblings, and nothing else', async () => {
    const { sha256 = '' } = (await info(server)).artifact ?? {};

    const own = await fetch(`${server.adminUrl}/artifacts/${sha256}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const other = await server.admin('GET', `/artifacts/${'0'.repeat(64)}`);
    const path = await server.admin('GET', '/artifacts/..%2F..%2Fdesired.json');

    expect(Buffer.from(await own.arrayBuffer()).equals(fixture('basket-blue'))).toBe(true);
    expect([other.status, path.status]).toEqual([404, 404]);
  });
});
