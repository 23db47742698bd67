// The project's own images, built from its Dockerfiles when something that goes into them has changed.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureBaseImages, HAPROXY_IMAGE } from './base.ts';
import { run } from './command.ts';
import { machineLocksDir, projectRoot } from './config.ts';
import { docker, startDocker } from './docker.ts';
import { withLock } from './lock.ts';
import { asStep, type OnProgress } from '../progress.ts';

const PROGRAMS = ['operator', 'inference'] as const;
type Program = (typeof PROGRAMS)[number];

export interface Images {
  readonly operator: string;
  readonly inference: string;
  readonly haproxy: string;
}

const LABEL = 'switchyard.dev/inputs';
const BUILD_TIMEOUT_MS = 15 * 60_000;
const imagesLock = join(machineLocksDir, 'images');

/** Starts dockerd where needed and builds what is stale. Ends with the names of the images. */
export async function buildImages(onProgress: OnProgress, signal?: AbortSignal): Promise<Images> {
  await startDocker(onProgress, signal);
  await ensureBaseImages(onProgress, signal);
  const version = await projectVersion();
  await withLock(imagesLock, { what: 'builds the images', onProgress, signal }, async () => {
    // One after the other: the second takes its first stage from the first's layers.
    for (const program of PROGRAMS) {
      const expectedSeconds = program === PROGRAMS[0] ? 60 : 10;
      await build({ program, image: imageName(program, version), version, expectedSeconds }, onProgress, signal);
    }
    // What builds have left behind; the newer of it is the cache of the next build.
    await docker(['image', 'prune', '--force', '--filter', 'until=72h'], { signal });
  });
  return {
    operator: imageName('operator', version),
    inference: imageName('inference', version),
    haproxy: HAPROXY_IMAGE,
  };
}

/** Builds the model server with the ONNX Runtime where that is stale, out of what `buildImages` has built. Ends with the name of the image. */
export async function buildOnnxImage(onProgress: OnProgress, signal?: AbortSignal): Promise<string> {
  const version = await projectVersion();
  const image = `${imageName('inference', version)}-onnx`;
  await withLock(imagesLock, { what: 'builds the images', onProgress, signal }, async () =>
    build({ program: 'inference', target: 'onnx', image, version, expectedSeconds: 5 }, onProgress, signal),
  );
  return image;
}

const imageName = (program: Program, version: string): string => `switchyard/${program}:${version}`;

interface Build {
  readonly program: Program;
  /** Stage of its Dockerfile; absent: the last one. */
  readonly target?: string;
  readonly image: string;
  readonly version: string;
  readonly expectedSeconds: number;
}

async function build(
  { program, target, image, version, expectedSeconds }: Build,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const dockerfile = await readFile(join(projectRoot, `Dockerfile.${program}`), 'utf8');
  const inputs = createHash('sha256')
    .update(await hashContext())
    .update(dockerfile)
    .digest('hex');
  if ((await labelOf(image)) === inputs) return;
  const values = { VERSION: version, ...(await gitValues()), BUILD_DATE: new Date().toISOString() };
  const args = [
    ...['build', '--network=host', '--file', `Dockerfile.${program}`, '--tag', image],
    ...(target === undefined ? [] : ['--target', target]),
    ...['--label', `${LABEL}=${inputs}`, ...buildArgs(dockerfile, values), '.'],
  ];
  const step = { step: `Building the image ${image}`, expectedSeconds };
  await asStep(onProgress, step, async () => docker(args, { cwd: projectRoot, timeoutMs: BUILD_TIMEOUT_MS, signal }));
}

/** `--build-arg` for each value that the Dockerfile declares. */
export function buildArgs(dockerfile: string, values: Readonly<Record<string, string>>): string[] {
  const declared = [...dockerfile.matchAll(/^ARG (\w+)/gm)].map((match) => match[1] ?? '');
  return declared.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : ['--build-arg', `${name}=${value}`];
  });
}

async function labelOf(image: string): Promise<string | undefined> {
  const format = `{{index .Config.Labels "${LABEL}"}}`;
  const label = await docker(['image', 'inspect', '--format', format, image]).catch(() => undefined);
  return label?.trim();
}

async function gitValues(): Promise<Record<string, string>> {
  const ask = async (...args: string[]): Promise<string> => {
    const answer = await run('git', args, { cwd: projectRoot }).catch(() => '');
    return answer.trim() || 'unknown';
  };
  return { GIT_COMMIT: await ask('rev-parse', 'HEAD'), GIT_BRANCH: await ask('rev-parse', '--abbrev-ref', 'HEAD') };
}

async function projectVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** What `.dockerignore` lets through (its lines with `!`), by content. */
async function hashContext(): Promise<string> {
  const ignore = await readFile(join(projectRoot, '.dockerignore'), 'utf8');
  const hash = createHash('sha256').update(ignore);
  for (const entry of contextEntries(ignore)) {
    for (const path of await listFiles(entry)) hash.update(path).update(await readFile(join(projectRoot, path)));
  }
  return hash.digest('hex');
}

/** Names after `!` in a .dockerignore that begins by ignoring everything. */
export function contextEntries(ignore: string): string[] {
  const lines = ignore.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
}

async function listFiles(entry: string): Promise<string[]> {
  const children = await readdir(join(projectRoot, entry), { withFileTypes: true }).catch(() => undefined);
  // A file; or nothing, which docker build will say better.
  if (children === undefined) return existsSync(join(projectRoot, entry)) ? [entry] : [];
  const nested = await Promise.all(
    children
      .filter((child) => !child.name.endsWith('.test.ts'))
      .map(async (child) => (child.isDirectory() ? listFiles(join(entry, child.name)) : [join(entry, child.name)])),
  );
  return nested.flat().sort();
}
