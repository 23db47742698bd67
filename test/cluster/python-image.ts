// The image that Dockerfiles of Python services start from: pulled where a registry answers, else a stand-in made of Debian's own Python 3.11.
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEBIAN_IMAGE } from './base.ts';
import { run, tryRun } from './command.ts';
import { machineLocksDir, projectRoot } from './config.ts';
import { docker, dockerEnv } from './docker.ts';
import { withLock } from './lock.ts';
import { aptSettings, HOST_CERTIFICATES } from './surroundings.ts';
import { asStep, type OnProgress } from '../progress.ts';

const PYTHON_IMAGE = 'python:3.11-slim';
/** The Python service of the fixtures. */
export const PYTHON_SERVICE_IMAGE = 'retail-api:1.0.0';
const LABEL = 'switchyard.dev/stand-in';
const PULL_TIMEOUT_MS = 180_000;
const BUILD_TIMEOUT_MS = 600_000;
/** Debian's own package of authorities is installed along and would take the usual place. */
const CERTIFICATES = '/usr/local/share/host-certificates.crt';
/** What pip is told here about where packages come from; nothing that could be a credential. */
const PIP_KEYS = ['index-url', 'proxy', 'timeout'] as const;

/** Builds the Python service from its own Dockerfile. The images of `ensureBaseImages` are there already. */
export async function buildPythonService(onProgress: OnProgress, signal?: AbortSignal): Promise<void> {
  await ensurePythonImage(onProgress, signal);
  const step = { step: `Building the image ${PYTHON_SERVICE_IMAGE}`, expectedSeconds: 60 };
  const args = ['build', '--quiet', '--network=host', '--tag', PYTHON_SERVICE_IMAGE, 'test/fixtures/python-service'];
  await asStep(onProgress, step, async () => docker(args, { cwd: projectRoot, timeoutMs: BUILD_TIMEOUT_MS, signal }));
}

async function ensurePythonImage(onProgress: OnProgress, signal: AbortSignal | undefined): Promise<void> {
  const lock = { what: `makes ${PYTHON_IMAGE}`, onProgress, signal };
  await withLock(join(machineLocksDir, 'python-image'), lock, async () => {
    const recipe = createHash('sha256').update(await readFile(import.meta.filename));
    const label = recipe.digest('hex').slice(0, 12);
    if (await isPresent(label)) return;
    const pulled = await tryRun('docker', ['pull', '--quiet', PYTHON_IMAGE], {
      env: dockerEnv,
      timeoutMs: PULL_TIMEOUT_MS,
      signal,
    });
    if (!pulled) await makeStandIn(label, onProgress, signal);
  });
}

async function isPresent(label: string): Promise<boolean> {
  const format = `{{index .Config.Labels "${LABEL}"}}`;
  const found = await docker(['image', 'inspect', '--format', format, PYTHON_IMAGE]).catch(() => undefined);
  return found !== undefined && ['', '<no value>', label].includes(found.trim());
}

async function makeStandIn(label: string, onProgress: OnProgress, signal: AbortSignal | undefined): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-image-'));
  try {
    await writeFile(join(dir, 'apt.conf'), await aptSettings());
    await writeFile(join(dir, 'pip.conf'), await pipSettings());
    await cp(HOST_CERTIFICATES, join(dir, 'ca-certificates.crt'), { dereference: true });
    await writeFile(join(dir, 'Dockerfile'), dockerfile(label));
    const step = { step: `Making a stand-in for ${PYTHON_IMAGE}`, expectedSeconds: 40 };
    const args = ['build', '--quiet', '--network=host', '--tag', PYTHON_IMAGE, dir];
    await asStep(onProgress, step, async () => docker(args, { timeoutMs: BUILD_TIMEOUT_MS, signal }));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** As the official image `python` and `pip` are on the path, and pip installs without asking Debian. */
function dockerfile(label: string): string {
  return `FROM ${DEBIAN_IMAGE}
COPY apt.conf /etc/apt/apt.conf.d/90host
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY ca-certificates.crt ${CERTIFICATES}
COPY pip.conf /etc/pip.conf
RUN apt-get update --quiet \\
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends python3 python3-pip \\
 && apt-get clean \\
 && rm -rf /var/lib/apt/lists/* /etc/apt/apt.conf.d/90host /usr/lib/python3*/EXTERNALLY-MANAGED \\
 && ln -s /usr/bin/python3 /usr/local/bin/python \\
 && ln -sf /usr/bin/pip3 /usr/local/bin/pip
CMD ["python"]
LABEL ${LABEL}=${label}
`;
}

async function pipSettings(): Promise<string> {
  const lines: string[] = [`cert = ${CERTIFICATES}`];
  for (const key of PIP_KEYS) {
    const value = (await run('pip3', ['config', 'get', `global.${key}`]).catch(() => '')).trim();
    if (value !== '' && !value.includes('@')) lines.push(`${key} = ${value}`);
  }
  return `[global]\n${lines.join('\n')}\n`;
}
