// Python environments for what is written in Python: clients and servers of others, to be tried and measured against. The project itself needs none.
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './cluster/command.ts';
import { cacheDir } from './cluster/config.ts';
import { acquireLock } from './cluster/lock.ts';
import { MissingPart } from './cluster/missing.ts';
import { asStep, type OnProgress } from './progress.ts';

const PYTHON = 'python3.11';
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
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const options = { timeoutMs: INSTALL_MS, signal };
  await run(PYTHON, ['-m', 'venv', folder], options).catch((cause: unknown) => {
    throw new MissingPart(`No ${PYTHON} with venv: install the Debian packages python3 and python3-venv.`, { cause });
  });
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
  await run(join(folder, 'bin/python'), [...pip, '--requirement', requirements.pathname], options);
  await writeFile(join(folder, 'complete'), '');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
