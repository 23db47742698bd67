// The adapter beside real servers of others, unchanged: the Python service from its own requirements, and MLServer from PyPI. Each as a process; what they do
// with a broken file is theirs, what becomes of it is ours.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { readBaskets } from '../demo/artifacts.ts';
import { adapterProcess } from '../support/adapter-process.ts';
import type { AdapterProcess } from '../support/adapter-process.ts';
import { KEY, anArtifact } from '../support/adapter-rig.ts';
import { startClients } from '../support/basket-clients.ts';
import type { Clients } from '../support/basket-clients.ts';
import { startFakeS3 } from '../support/fake-s3.ts';
import type { FakeS3 } from '../support/fake-s3.ts';
import { mlserver, pythonService } from '../support/foreign-servers.ts';
import type { ForeignServer } from '../support/foreign-servers.ts';
import { desiredEnv, fixture } from '../support/inference-rig.ts';
import { goldenOf } from '../support/model-fixtures.ts';

let s3: FakeS3;
let dir: string;
let adapter: AdapterProcess | undefined;
let server: ForeignServer | undefined;
let clients: Clients | undefined;

beforeAll(async () => {
  s3 = await startFakeS3();
  dir = await mkdtemp(join(tmpdir(), 'switchyard-foreign-'));
});
afterEach(async () => {
  await clients?.stop();
  await Promise.all([adapter?.stop(), server?.stop()]);
  [adapter, server, clients] = [undefined, undefined, undefined];
});
afterAll(async () => {
  await s3.close();
  await rm(dir, { recursive: true, force: true });
});

/** An adapter pinned to basket-blue, and the server beside it, started in the order of a pod. */
async function start(
  create: (modelPath: string) => Promise<ForeignServer>,
  modelFile: string,
  env: Record<string, string>,
) {
  const home = await mkdtemp(join(dir, 'pod-'));
  const modelPath = join(home, 'model', modelFile);
  server = await create(modelPath);
  s3.createBucket('models', { versioned: true });
  const pinned = s3.put('models', KEY, fixture('basket-blue'));
  const store = { endpoint: s3.endpoint, region: 'eu-central-1', forcePathStyle: true };
  const artifact = { store, bucket: 'models', key: KEY, ...pinned };
  const desired = { artifact, sequence: 1, modelDeployment: 'retail', variant: 'blue', revision: 'r1' };
  adapter = await adapterProcess({
    ...(await desiredEnv(home, desired)),
    ARTIFACT_DIR: join(home, 'artifacts'),
    ADAPTER_PORT: String(server.port),
    ADAPTER_MODEL_PATH: modelPath,
    ...env,
  });
  adapter.start();
  await adapter.untilStarted();
  await server.start();
  await adapter.until('the pinned version', ({ version }) => version === 'blue-1');
  return { adapter: { ...adapter, modelPath }, server };
}

const MLSERVER = {
  ADAPTER_RELOAD: 'POST /v2/repository/models/forest/load',
  ADAPTER_INFO: 'none',
  ADAPTER_READY: '/v2/models/forest/ready',
};
const startPython = (env: Record<string, string> = {}) =>
  start(pythonService, 'model.tar.gz', { ADAPTER_CHECK_SECONDS: '0.5', ...env });

it('brings the Python service to a changed file under load without a failed request', async () => {
  const { adapter, server } = await startPython();
  const clients = await startLoad(server);

  const next = s3.put('models', KEY, fixture('basket-blue-2'));
  expect(await adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...next })).toMatchObject({
    status: 'loaded',
    active: { version: 'blue-2', revision: 'r2' },
  });

  const { answered, wrong, failed } = clients.count();
  expect(failed).toEqual({});
  expect(await versionOf(server)).toBe('blue-2');
  await until(() => clients.count().answered > 0);
  expect(await clients.stop()).toMatchObject({ failed: {}, wrong: 0 });
  // It reads the model and its version one after the other, so that one answer may mix two: its own doing.
  process.stdout.write(
    `Python service: ${answered} requests over a reload, none failed, ${wrong} of them mix versions\n`,
  );
});

it('puts the previous file of the Python service back when one is broken', async () => {
  const { adapter, server } = await startPython();
  const clients = await startLoad(server);

  const broken = s3.put('models', KEY, await anArtifact('broken-1', 'no pickle at all'));
  expect(await adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...broken })).toMatchObject({
    error: { reason: 'LoadFailed' },
    active: { version: 'blue-1', revision: 'r1' },
  });

  const { answered, failed } = clients.count();
  expect(await versionOf(server)).toBe('blue-1');
  expect(await adapter.info()).toMatchObject({ version: 'blue-1', failure: { reason: 'LoadFailed', revision: 'r2' } });
  await until(() => clients.count().answered > 0);
  expect(await clients.stop()).toMatchObject({ failed: {}, wrong: 0 });
  // Between its failed reload and the next one it has no model: nobody beside it can change that.
  expect(Object.keys(failed)).toEqual(['503']);
  process.stdout.write(
    `Python service: over a broken file ${failed['503'] ?? 0} requests refused, ${answered} answered\n`,
  );
});

it('never shows the Python service a broken file where our own reader looks first, so that no request fails', async () => {
  const { adapter, server } = await startPython({ ADAPTER_READ_MODEL: 'true' });
  const clients = await startLoad(server);

  const broken = s3.put('models', KEY, await anArtifact('broken-2', 'no pickle at all'));
  const { error, active } = await adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...broken });

  expect([error?.reason, active?.version]).toEqual(['LoadFailed', 'blue-1']);
  expect(await clients.stop()).toMatchObject({ failed: {}, wrong: 0 });
});

it('finds the Python service on its file after a crash, and on the pinned version after a restart of the adapter', async () => {
  const { adapter, server } = await startPython();
  const next = s3.put('models', KEY, fixture('basket-blue-2'));
  await adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...next });

  await server.stop('SIGKILL');
  expect(await adapter.info()).toMatchObject({ version: null, failure: { reason: 'RuntimeUnreachable' } });
  await server.start();
  expect(await adapter.info()).toMatchObject({ version: 'blue-2', artifact: { revision: 'r2' } });

  await adapter.stop('SIGKILL');
  expect(await versionOf(server)).toBe('blue-2');
  adapter.start();
  await adapter.until('the pinned version', ({ version }) => version === 'blue-1');
  expect(await versionOf(server)).toBe('blue-1');
});

it('gives the Python service its model again when a reload of somebody else has cost it', async () => {
  const { adapter, server } = await startPython();
  const file = await readFile(adapter.modelPath);
  await writeFile(adapter.modelPath, 'broken');
  await ask(`${server.url}/model/reload`, { method: 'POST' });
  await until(async () => (await ask(`${server.url}/ready`)).status === 503);

  await adapter.until('its model', ({ version }) => version === 'blue-1');

  expect(await versionOf(server)).toBe('blue-1');
  expect((await readFile(adapter.modelPath)).equals(file)).toBe(true);
});

it('gives MLServer the model out of a changed archive, and the previous one when that is broken', async () => {
  const { adapter, server } = await start(mlserver, 'model.joblib', MLSERVER);
  expect(await probabilitiesOf(server)).toEqual(goldenOf('basket-blue').predict_proba.slice(0, 5));

  const next = s3.put('models', KEY, fixture('basket-blue-2'));
  expect(await adapter.reload({ sequence: 2, revision: 'r2', key: KEY, ...next })).toMatchObject({
    status: 'loaded',
    active: { version: 'blue-2' },
  });
  const answers = await probabilitiesOf(server, 'basket-blue-2');
  expect(answers).toEqual(goldenOf('basket-blue-2').predict_proba.slice(0, 5));

  const broken = s3.put('models', KEY, await anArtifact('broken', 'no pickle at all'));
  expect(await adapter.reload({ sequence: 3, revision: 'r3', key: KEY, ...broken })).toMatchObject({
    error: { reason: 'LoadFailed' },
    active: { version: 'blue-2', revision: 'r2' },
  });
  expect(await probabilitiesOf(server, 'basket-blue-2')).toEqual(answers);
  expect(await adapter.info()).toMatchObject({ version: 'blue-2', failure: { revision: 'r3' } });
});

/** Clients that have had their first answers. */
async function startLoad({ url }: ForeignServer): Promise<Clients> {
  const load = startClients(`${url}/predict`, await readBaskets());
  clients = load;
  await until(() => load.count().answered > 0);
  return load;
}

/** On a connection of its own: uvicorn ends idle ones after five seconds, which the next request may meet. */
async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), connection: 'close' } });
}

async function versionOf({ url }: ForeignServer): Promise<unknown> {
  const answer = await ask(`${url}/model/info`);
  return ((await answer.json()) as { version?: string }).version;
}

/** What MLServer says to the first golden rows of a fixture. */
async function probabilitiesOf({ url }: ForeignServer, name = 'basket-blue'): Promise<number[][]> {
  const rows = goldenOf(name).inputs.slice(0, 5);
  const width = rows[0]?.length ?? 0;
  const body = {
    inputs: [{ name: 'rows', shape: [rows.length, width], datatype: 'FP64', data: rows.flat() }],
    outputs: [{ name: 'predict_proba' }],
  };
  const answer = await ask(`${url}/v2/models/forest/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { outputs } = (await answer.json()) as { outputs: { data: number[]; shape: [number, number] }[] };
  const [{ data, shape } = { data: [], shape: [0, 0] }] = outputs;
  return Array.from({ length: shape[0] }, (_, row) => data.slice(row * shape[1], (row + 1) * shape[1]));
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 4000; !(await check()); left -= 1) {
    if (left === 0) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
