// A whole inference server in the test's own process, on free loopback ports, and short ways to talk to it.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createApp } from '../../inference/app.ts';
import type { App, AppOptions } from '../../inference/app.ts';
import { loadConfig } from '../../inference/config.ts';
import { DesiredArtifact } from '../../inference/contract.ts';
import { readArtifact } from '../../inference/model/read-artifact.ts';

export const TOKEN = 'a-token-for-tests-only';
const MODELS = new URL('../fixtures/models/', import.meta.url);

const DEFAULTS = {
  HOST: '127.0.0.1',
  PORT: '0',
  GRPC_PORT: '0',
  ADMIN_PORT: '0',
  ADMIN_TOKEN: TOKEN,
  DRAIN_SECONDS: '0',
  SERVING_THREADS: '1',
};

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

export interface Rig {
  readonly app: App;
  readonly url: string;
  readonly adminUrl: string;
  /** Host and port; a rig has one when its environment sets GRPC_PORT. */
  readonly grpcAddress: string;
  readonly dir: string;
  /** Lines of the log. */
  readonly logs: readonly Record<string, unknown>[];
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  admin(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply>;
  stop(drainMs?: number): Promise<void>;
}

/** The archive of a fixture. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(`${name}/model.tar.gz`, MODELS));
}

export function fixturePath(name: string, file = 'model.tar.gz'): string {
  return new URL(`${name}/${file}`, MODELS).pathname;
}

export interface RigOptions extends Pick<AppOptions, 'onnx' | 'onBroken' | 'startThread'> {
  readonly waitForLoad?: boolean;
  readonly inWorker?: boolean;
}

/**
 * Starts a server with this environment (and test defaults), and waits for its first load unless told not to. It reads artifacts on this thread, which
 * saves the start of a worker, unless `inWorker`.
 */
export async function startInference(
  env: Record<string, string>,
  { waitForLoad = true, inWorker = false, ...more }: RigOptions = {},
): Promise<Rig> {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-test-'));
  const logs: Record<string, unknown>[] = [];
  const write = (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>);
  const config = loadConfig({ ...DEFAULTS, ARTIFACT_DIR: join(dir, 'artifacts'), ...env });
  const log = pino({ level: config.logLevel, base: null }, { write });
  const app = await createApp(config, {
    log,
    firstRetryMs: 20,
    retryMs: [5, 5],
    ...(inWorker ? {} : { reader: readArtifact }),
    lines: { write: (line) => (write(line), true), once: () => undefined },
    ...more,
  });
  const { port, grpcPort, adminPort } = await app.start();
  if (waitForLoad) await app.firstLoad;
  const [url, adminUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${adminPort ?? 0}`];
  const bearer = { authorization: `Bearer ${TOKEN}` };
  return {
    app,
    url,
    adminUrl,
    grpcAddress: `127.0.0.1:${grpcPort ?? 0}`,
    dir,
    logs,
    get: (path, headers = {}) => send(url + path, { headers }),
    post: (path, body, headers = {}) => send(url + path, posted(body, headers)),
    admin: (method, path, body) => send(adminUrl + path, method === 'GET' ? { headers: bearer } : posted(body, bearer)),
    async stop(drainMs) {
      await app.stop(drainMs);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Writes a desired artifact file and answers the environment that names it. */
export async function desiredEnv(dir: string, desired: unknown): Promise<Record<string, string>> {
  const path = join(dir, 'desired.json');
  await writeFile(path, JSON.stringify(DesiredArtifact.parse(desired)));
  return { DESIRED_ARTIFACT_FILE: path };
}

function posted(body: unknown, headers: Record<string, string>): RequestInit {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: raw ? body : JSON.stringify(body),
  };
}

async function send(url: string, init: RequestInit): Promise<Reply> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
