// Python environments for what is written in Python: clients and servers of others, to be tried and measured against. The project itself needs none.
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type RunOptions } from './cluster/command.ts';
import { baseEnv, cacheDir } from './cluster/config.ts';
import { acquireLock } from './cluster/lock.ts';
import { MissingPart } from './cluster/missing.ts';
import { asStep, type OnProgress } from './progress.ts';

const PYTHON = 'python3.11';
const UV_VERSION = '0.13.9';
const INSTALL_MS = 15 * 60_000;

export interface VenvOptions {
  /** Pinned requirements; the environment is made anew when the file changes. */
  readonly requirements: URL;
  readonly expectedSeconds?: number;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** Folder of a virtual environment with these requirements, made when it is not in the cache. Throws MissingPart without Python 3.11. */
export async function venv(name: string, { requirements, expectedSeconds = 60, ...how }: VenvOptions): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 10);
  const folder = join(cacheDir, 'venvs', `${name}-${hash}`);
  const release = await acquireLock(`${folder}.lock`, { what: `installs ${name}`, ...how });
  try {
    if (await exists(join(folder, 'complete'))) return folder;
    const step = { step: `Installing ${name} for Python`, expectedSeconds };
    await asStep(how.onProgress, step, async () => install(folder, requirements, how.signal));
    return folder;
  } finally {
    await release();
  }
}

async function install(folder: string, requirements: URL, signal?: AbortSignal): Promise<void> {
  const options = { timeoutMs: INSTALL_MS, signal };
  const uv = await installer(options);
  await makeEmpty(folder, ['--without-pip'], options);
  await run(uv, ['pip', 'install', '--quiet', '--python', folder, '--requirement', requirements.pathname], {
    ...options,
    env: await packageIndex(),
  });
  await writeFile(join(folder, 'complete'), '');
}

/** uv installs in 3 s what takes pip 80 s of a processor. */
async function installer(options: RunOptions): Promise<string> {
  const folder = join(cacheDir, 'venvs', `uv-${UV_VERSION}`);
  const uv = join(folder, 'bin/uv');
  const release = await acquireLock(`${folder}.lock`, { what: 'installs uv', onProgress: () => undefined });
  try {
    if (await exists(uv)) return uv;
    await makeEmpty(folder, [], options);
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
    await run(join(folder, 'bin/python'), [...pip, `uv==${UV_VERSION}`], options);
    return uv;
  } finally {
    await release();
  }
}

/** uv reads none of pip's settings: a mirror that pip is told of is told to it as well. */
async function packageIndex(): Promise<NodeJS.ProcessEnv> {
  const asked = await run('pip3', ['config', 'get', 'global.index-url']).catch(() => '');
  const index = baseEnv['PIP_INDEX_URL'] ?? asked.trim();
  return { UV_CACHE_DIR: join(cacheDir, 'uv'), ...(index !== '' && { UV_DEFAULT_INDEX: index }) };
}

async function makeEmpty(folder: string, args: readonly string[], options: RunOptions): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run(PYTHON, ['-m', 'venv', ...args, folder], options).catch((cause: unknown) => {
    throw new MissingPart(`No ${PYTHON} with venv: install the Debian packages python3 and python3-venv.`, { cause });
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
