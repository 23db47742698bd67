// A bucket in this process, and servers on it that are pinned to a version as the operator pins them: for tests of the admin port.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelInfo, ReloadAnswer } from '../../inference/contract.ts';
import type { ReloadBody } from '../../inference/contract.ts';
import { startFakeS3 } from './fake-s3.ts';
import type { FakeS3 } from './fake-s3.ts';
import { desiredEnv, fixture, startInference } from './inference-rig.ts';
import type { Reply, Rig, RigOptions } from './inference-rig.ts';

export const KEY = 'retail/model.tar.gz';
export const BASKET = { basket_items: { a: { price: 12.5 } } };

export interface ReloadRig {
  readonly s3: FakeS3;
  /** A server on a new bucket that holds basket-blue; faults and requests of the store are forgotten. */
  start(options?: StartOptions): Promise<Rig>;
  close(): Promise<void>;
}

interface PinOptions {
  readonly versioned?: boolean;
  /** Where the siblings are. */
  readonly siblings?: string;
}

interface StartOptions extends PinOptions, RigOptions {
  /** Over the settings of the tests, which are impatient. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function openReloadRig(): Promise<ReloadRig> {
  const s3 = await startFakeS3();
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-admin-'));
  return {
    s3,
    start: (options) => startPinned(s3, dir, options),
    async close() {
      await s3.close();
      await rm(dir, { recursive: true });
    },
  };
}

async function startPinned(s3: FakeS3, dir: string, options: StartOptions = {}): Promise<Rig> {
  const { versioned = true, siblings, env = {}, ...rest } = options;
  const pinned = await pinnedEnv(s3, dir, { versioned, ...(siblings !== undefined && { siblings }) });
  return startInference({ ...pinned, STALL_SECONDS: '0.6', LOAD_TIMEOUT_SECONDS: '3', ...env }, rest);
}

/**
 * The environment of a server that is pinned to basket-blue as r1 in a new bucket; faults and requests of the store are forgotten. `dir` gets the file
 * that says so.
 */
export async function pinnedEnv(
  s3: FakeS3,
  dir: string,
  { versioned = true, ...siblings }: PinOptions = {},
): Promise<Record<string, string>> {
  s3.requests.length = 0;
  s3.faults.length = 0;
  s3.createBucket('models', { versioned });
  const { versionId, ...content } = s3.put('models', KEY, fixture('basket-blue'));
  return pinTo(s3, dir, { revision: 'r1', sequence: 1, ...siblings }, { ...content, ...(versioned && { versionId }) });
}

/** The environment of a server that is pinned to this version of the key. */
export function pinTo(
  s3: FakeS3,
  dir: string,
  order: { readonly revision: string; readonly sequence: number; readonly siblings?: string },
  version: { readonly etag: string; readonly sha256: string; readonly versionId?: string },
): Promise<Record<string, string>> {
  const store = { endpoint: s3.endpoint, region: 'eu-central-1', forcePathStyle: true };
  const artifact = { store, bucket: 'models', key: KEY, ...version };
  return desiredEnv(dir, { artifact, modelDeployment: 'retail', variant: 'blue', ...order });
}

export async function reload(
  server: Rig,
  body: ReloadBody,
): Promise<{ readonly status: number; readonly answer: ReloadAnswer }> {
  const { status, json } = await server.admin('POST', '/model/reload', body);
  return { status, answer: ReloadAnswer.parse(json) };
}

export async function info(server: Rig): Promise<ModelInfo> {
  return ModelInfo.parse((await server.admin('GET', '/model/info')).json);
}

/** The version that an answer names. */
export function versionOf({ headers }: Reply): string | null {
  return headers.get('x-model-version');
}
