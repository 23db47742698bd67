// Model servers of others, as processes on loopback, each with its model in a file: the Python service from its own sources, and MLServer from PyPI.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { freePorts } from '../cluster/ports.ts';
import { showProgress } from '../progress.ts';
import { venv, type VenvOptions } from '../python.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';

const PYTHON_SERVICE = new URL('../fixtures/python-service/', import.meta.url);
const MLSERVER_REQUIREMENTS = new URL('../bench/peers/mlserver/requirements.txt', import.meta.url);
const START_MS = 90_000;

export interface ForeignServer {
  readonly port: number;
  readonly url: string;
  /** Starts the process, and waits until it answers on `path`. */
  start(): Promise<void>;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  output(): string;
}

interface Command {
  readonly port: number;
  readonly livePath: string;
  readonly run: () => Child;
}

type EnvironmentOptions = Pick<VenvOptions, 'onProgress' | 'signal'>;

const pythonPackages = (options: EnvironmentOptions) =>
  venv('python-service', { requirements: new URL('requirements.txt', PYTHON_SERVICE), ...options });
const mlserverPackages = (options: EnvironmentOptions) =>
  venv('mlserver', { requirements: MLSERVER_REQUIREMENTS, ...options });

/** Installs both. Throws MissingPart. */
export async function prepareForeignServers(options: EnvironmentOptions): Promise<void> {
  await pythonPackages(options);
  await mlserverPackages(options);
}

async function shown(install: (options: EnvironmentOptions) => Promise<string>): Promise<string> {
  const progress = showProgress();
  try {
    return await install({ onProgress: progress.report });
  } finally {
    progress.close();
  }
}

/** `test/fixtures/python-service`, installed from its own requirements, with MODEL_PATH. */
export async function pythonService(modelPath: string): Promise<ForeignServer> {
  const folder = await shown(pythonPackages);
  const [port = 0] = await freePorts(1);
  const env = { MODEL_PATH: modelPath, PORT: String(port), PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' };
  const run = () => startChild(join(folder, 'bin/python'), ['-m', 'app.main'], { env, cwd: PYTHON_SERVICE.pathname });
  return server({ port, livePath: '/', run });
}

/** MLServer with one model, called `forest`, that it reads from `modelPath`. */
export async function mlserver(modelPath: string): Promise<ForeignServer> {
  const folder = await shown(mlserverPackages);
  const [port = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const dir = join(dirname(dirname(modelPath)), 'mlserver');
  await mkdir(dir, { recursive: true });
  const settings = { host: '127.0.0.1', http_port: port, grpc_port: grpc, metrics_port: metrics };
  await writeFile(join(dir, 'settings.json'), JSON.stringify({ ...settings, parallel_workers: 0, debug: false }));
  const model = { name: 'forest', implementation: 'mlserver_sklearn.SKLearnModel', parameters: { uri: modelPath } };
  await writeFile(join(dir, 'model-settings.json'), JSON.stringify(model));
  const run = () =>
    startChild(join(folder, 'bin/mlserver'), ['start', dir], { env: { OMP_NUM_THREADS: '1' }, cwd: dir });
  return server({ port, livePath: '/v2/health/live', run });
}

function server({ port, livePath, run }: Command): ForeignServer {
  const url = `http://127.0.0.1:${port}`;
  let child: Child | undefined;
  return {
    port,
    url,
    async start() {
      child = run();
      await untilLive(url + livePath, child);
    },
    stop: async (signal) => child?.stop(signal),
    output: () => child?.output() ?? '',
  };
}

async function untilLive(url: string, child: Child): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`It did not start:\n${child.output()}`);
}
