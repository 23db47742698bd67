// A whole adapter in the test's own process, between a fake bucket and a fake server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createAdapter } from '../../inference/adapter/app.ts';
import { loadConfig } from '../../inference/config.ts';
import { ModelInfo, ReloadAnswer } from '../../inference/contract.ts';
import type { ReloadBody } from '../../inference/contract.ts';
import { readArtifact } from '../../inference/model/read-artifact.ts';
import { anArchive } from './an-archive.ts';
import { fakeNeighbour } from './fake-neighbour.ts';
import type { FakeNeighbour } from './fake-neighbour.ts';
import type { FakeS3 } from './fake-s3.ts';
import { TOKEN, desiredEnv } from './inference-rig.ts';

export const KEY = 'retail/model.tar.gz';

export interface AdapterRig {
  readonly modelPath: string;
  readonly neighbour: FakeNeighbour;
  readonly logs: readonly Record<string, unknown>[];
  /** Of the health port. */
  status(path: string): Promise<number>;
  info(): Promise<ModelInfo>;
  reload(body: ReloadBody): Promise<{ readonly status: number; readonly answer: ReloadAnswer }>;
  admin(path: string, init?: RequestInit): Promise<Response>;
  firstLoad(): Promise<void>;
  /** Ends this adapter and starts another one on the same disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Else equal files would differ by the second in which they were made. */
const LONG_AGO = new Date(0);

/** An artifact whose metadata.json has this version; the fake server takes the content "broken" for a broken one. */
export async function anArtifact(version: string, content = 'a model', metadata: object = {}): Promise<Buffer> {
  return anArchive([
    [{ name: 'model.joblib', mtime: LONG_AGO }, content],
    [{ name: 'metadata.json', mtime: LONG_AGO }, JSON.stringify({ version, ...metadata })],
  ]);
}

export interface AdapterRigOptions {
  readonly s3: FakeS3;
  /** Over the settings of the tests, which are impatient. */
  readonly env?: Record<string, string>;
  readonly first?: Buffer;
  /** The server runs before the adapter does. */
  readonly isThere?: boolean;
  readonly modelFile?: string;
}

/** An adapter pinned to `first`, in a versioned bucket, and a server that does not run yet. */
export async function startAdapter(options: AdapterRigOptions): Promise<AdapterRig> {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  const { env = {}, isThere = false, modelFile = 'model.tar.gz' } = options;
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-adapter-'));
  const modelPath = join(dir, 'model', modelFile);
  const neighbour = await fakeNeighbour(modelPath);
  if (isThere) await neighbour.start();
  const settings = { ...impatient(dir, modelPath, neighbour), ...(await pinnedTo(dir, options)), ...env };
  const logs: Record<string, unknown>[] = [];
  let running = await run(settings, logs);
  const admin = (path: string, init: RequestInit = {}) => fetch(running.adminUrl + path, { ...init, headers: HEADERS });
  return {
    modelPath,
    neighbour,
    logs,
    admin,
    firstLoad: () => running.firstLoad,
    status: async (path) => (await fetch(running.url + path)).status,
    info: async () => ModelInfo.parse(await (await admin('/model/info')).json()),
    async reload(body) {
      const response = await admin('/model/reload', { method: 'POST', body: JSON.stringify(body) });
      return { status: response.status, answer: ReloadAnswer.parse(await response.json()) };
    },
    async restart() {
      await running.stop();
      running = await run(settings, logs);
    },
    async stop() {
      await running.stop();
      await neighbour.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };

function impatient(dir: string, modelPath: string, { port }: FakeNeighbour): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    ADMIN_TOKEN: TOKEN,
    ARTIFACT_DIR: join(dir, 'artifacts'),
    ADAPTER: 'true',
    ADAPTER_PORT: String(port),
    ADAPTER_MODEL_PATH: modelPath,
    ADAPTER_RELOAD_SECONDS: '1',
    ADAPTER_UNREADY_SECONDS: '0.2',
    ADAPTER_CHECK_SECONDS: '600',
  };
}

async function pinnedTo(dir: string, { s3, first }: AdapterRigOptions): Promise<Record<string, string>> {
  s3.requests.length = 0;
  s3.faults.length = 0;
  s3.createBucket('models', { versioned: true });
  const version = s3.put('models', KEY, first ?? (await anArtifact('one')));
  const store = { endpoint: s3.endpoint, region: 'eu-central-1', forcePathStyle: true };
  const artifact = { store, bucket: 'models', key: KEY, ...version };
  return desiredEnv(dir, { artifact, sequence: 1, modelDeployment: 'retail', variant: 'blue', revision: 'r1' });
}

async function run(settings: Record<string, string>, logs: Record<string, unknown>[]) {
  const config = loadConfig(settings);
  if (config.adapter === undefined) throw new Error('ADAPTER is not set');
  const write = (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>);
  const log = pino({ level: 'info', base: null }, { write });
  const options = { log, firstRetryMs: 20, retryMs: [5, 5], reader: readArtifact };
  const app = await createAdapter(config, config.adapter, options);
  const { port, adminPort } = await app.start();
  return {
    url: `http://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort ?? 0}`,
    firstLoad: app.firstLoad,
    stop: () => app.stop(0),
  };
}

/** Looks until `check` says yes. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 200; !(await check()); left -= 1) {
    if (left === 0) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
