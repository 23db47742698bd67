// The servers that the inference suite measures side by side: ours, and those that a Python team would run. All have the same forest and one core.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../cluster/command.ts';
import { projectRoot } from '../cluster/config.ts';
import type { OnProgress } from '../progress.ts';
import { venv } from '../python.ts';
import type { Bodies } from './bodies.ts';
import { imageEnv } from './image-env.ts';
import type { ServerCommand } from './server-process.ts';

const FIRST_PORT = 18_500;
const PEERS = new URL('peers/', import.meta.url);

export interface Measured extends ServerCommand {
  readonly bodies: keyof Bodies;
  readonly kind: 'ours' | 'python' | 'bare';
  /** Folder whose size is what the server needs beside its interpreter. */
  readonly packages?: string;
  /** How it is told that its file has changed, where it can be, and which file that is. */
  readonly reload?: { readonly url: string; readonly file: string };
}

export interface Surroundings {
  /** Folder for files of this run. */
  readonly dir: string;
  /** model.tar.gz of the forest, and its model.joblib by itself. */
  readonly archive: string;
  readonly model: string;
  readonly adminToken: string;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** All of them, installed and ready to be started. */
export async function peers(around: Surroundings): Promise<readonly Measured[]> {
  return [
    ...ours(around),
    { ...bare(), kind: 'bare', bodies: 'baskets' },
    await pythonService(around),
    await fastapiOnnx(around),
    await mlserver(around),
    await bentoml(around),
  ];
}

/** The bundle that is in the image, in the image's environment, with its metrics, access log and drift as they are by default or, where off, switched on. */
export function ours(around: Surroundings): readonly [Measured, Measured] {
  const predict = own(around, FIRST_PORT);
  const v2 = own(around, FIRST_PORT + 60);
  return [
    { ...predict, name: 'switchyard /predict', url: `${predict.url}/predict`, bodies: 'baskets' },
    { ...v2, name: 'switchyard V2', url: `${v2.url}/v2/models/basket-medium/infer`, bodies: 'tensors' },
  ];
}

function own({ archive, adminToken, dir }: Surroundings, port: number): Omit<Measured, 'name' | 'bodies'> {
  return {
    kind: 'ours',
    command: [process.execPath, join(projectRoot, 'dist/inference/main.js')],
    env: {
      ...imageEnv('Dockerfile.inference'),
      HOST: '127.0.0.1',
      PORT: String(port),
      GRPC_PORT: String(port + 2),
      ADMIN_PORT: String(port + 1),
      ADMIN_TOKEN: adminToken,
      MODEL_PATH: archive,
      ARTIFACT_DIR: join(dir, `artifacts-${port}`),
      ACCESS_LOG_EVERY: '100',
    },
    url: `http://127.0.0.1:${port}`,
  };
}

function bare(): Omit<Measured, 'kind' | 'bodies'> {
  const port = FIRST_PORT + 10;
  const script = new URL('bare.mjs', PEERS).pathname;
  return {
    name: 'bare node:http',
    command: [process.execPath, script],
    env: { PORT: String(port) },
    url: `http://127.0.0.1:${port}/predict`,
  };
}

async function python(name: string, requirements: URL, { onProgress, signal }: Surroundings): Promise<string> {
  const folder = await venv(name, { requirements, expectedSeconds: 60, onProgress, signal });
  // else the first start compiles all that it imports, and is measured with it
  const compile = ['-m', 'compileall', '-q', '-j', '0', join(folder, 'lib')];
  await run(join(folder, 'bin/python'), compile, { timeoutMs: 300_000, signal }).catch(() => undefined);
  return folder;
}

async function pythonService(around: Surroundings): Promise<Measured> {
  const folder = new URL('../fixtures/python-service/', import.meta.url);
  const packages = await python('python-service', new URL('requirements.txt', folder), around);
  const port = FIRST_PORT + 20;
  return {
    name: 'FastAPI + scikit-learn',
    kind: 'python',
    bodies: 'baskets',
    packages,
    cwd: folder.pathname,
    command: [join(packages, 'bin/uvicorn'), 'app.main:app', '--port', String(port), '--no-access-log'],
    env: { MODEL_PATH: around.archive },
    url: `http://127.0.0.1:${port}/predict`,
  };
}

async function fastapiOnnx(around: Surroundings): Promise<Measured> {
  const folder = new URL('fastapi-onnx/', PEERS);
  const packages = await python('fastapi-onnx', new URL('requirements.txt', folder), around);
  const port = FIRST_PORT + 30;
  const onnx = join(around.dir, 'model.onnx');
  const convert = new URL('convert.py', folder).pathname;
  await run(join(packages, 'bin/python'), [convert, around.archive, onnx], {
    timeoutMs: 120_000,
    signal: around.signal,
  });
  return {
    name: 'FastAPI + onnxruntime',
    kind: 'python',
    bodies: 'baskets',
    packages,
    cwd: folder.pathname,
    command: [join(packages, 'bin/uvicorn'), 'app:app', '--port', String(port), '--no-access-log', '--loop', 'uvloop'],
    env: { MODEL_PATH: around.archive, ONNX_PATH: onnx },
    url: `http://127.0.0.1:${port}/predict`,
  };
}

async function mlserver(around: Surroundings): Promise<Measured> {
  const packages = await python('mlserver', new URL('mlserver/requirements.txt', PEERS), around);
  const port = FIRST_PORT + 40;
  const dir = join(around.dir, 'mlserver');
  const file = join(dir, 'model.joblib');
  await mkdir(dir, { recursive: true });
  await copyFile(around.model, file);
  const settings = {
    host: '127.0.0.1',
    http_port: port,
    grpc_port: port + 1,
    metrics_port: port + 2,
    parallel_workers: 0,
    debug: false,
  };
  const model = {
    name: 'forest',
    implementation: 'mlserver_sklearn.SKLearnModel',
    parameters: { uri: file },
  };
  await writeFile(join(dir, 'settings.json'), JSON.stringify(settings));
  await writeFile(join(dir, 'model-settings.json'), JSON.stringify(model));
  return {
    name: 'MLServer',
    kind: 'python',
    bodies: 'tensors',
    packages,
    command: [join(packages, 'bin/mlserver'), 'start', dir],
    env: {},
    url: `http://127.0.0.1:${port}/v2/models/forest/infer`,
    reload: { url: `http://127.0.0.1:${port}/v2/repository/models/forest/load`, file },
  };
}

async function bentoml(around: Surroundings): Promise<Measured> {
  const folder = new URL('bentoml/', PEERS);
  const packages = await python('bentoml', new URL('requirements.txt', folder), around);
  const port = FIRST_PORT + 50;
  return {
    name: 'BentoML',
    kind: 'python',
    bodies: 'rows',
    packages,
    cwd: folder.pathname,
    command: [join(packages, 'bin/bentoml'), 'serve', 'service:Forest', '--host', '127.0.0.1', '--port', String(port)],
    env: { MODEL_PATH: around.archive, BENTOML_HOME: join(around.dir, 'bentoml'), BENTOML_DO_NOT_TRACK: 'True' },
    url: `http://127.0.0.1:${port}/predict`,
  };
}
