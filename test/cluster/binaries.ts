// The programs of the test cluster: found where the developer has them, else in our cache, else built by Go into the cache.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { COMPILER_FLAGS, buildGo, countStalePackages, downloadAhead } from './build.ts';
import { findCommand, isExecutable } from './command.ts';
import { cacheDir, kubeAssetsDir, KUBERNETES_VERSION, VERSITYGW_VERSION, type Tier } from './config.ts';
import { withLock } from './lock.ts';
import { MissingPart } from './missing.ts';
import { together } from './together.ts';
import type { OnProgress } from '../progress.ts';

const API_COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
const NODE_COMPONENTS = ['kube-scheduler', 'kubelet', 'kube-proxy', 'coredns'] as const;
const COMPONENTS = [...API_COMPONENTS, ...NODE_COMPONENTS] as const;
export type Component = (typeof COMPONENTS)[number];

/** Paths of the programs. Those that a tier does not use may be missing on disk. */
export interface Binaries {
  readonly kube: Readonly<Record<Component, string>>;
  readonly versitygw: string;
  /** First process of each pod, static; a base image is made of it. */
  readonly pause: string;
}

export interface BinariesOptions {
  readonly tier: Tier;
  /** Folder given by the user; its programs come first. */
  readonly kubeBin?: string | undefined;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

const VERSITYGW = `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW_VERSION}`;
/** How much of Kubernetes is compiled when it takes the other as long to be built as it takes the rest. */
const NEARLY_DONE = 0.85;
const moduleDir = join(import.meta.dirname, 'control-plane');

/** Throws {@link MissingPart} when something has to be built and Go is not there. */
export async function ensureBinaries(options: BinariesOptions): Promise<Binaries> {
  const needed = options.tier === 'api' ? API_COMPONENTS : COMPONENTS;
  const kubeDir = join(cacheDir, `kube-${KUBERNETES_VERSION}-${await hashFiles(['go.mod', 'go.sum', 'main.go'])}`);
  const pauseDir = join(cacheDir, `pause-${await hashFiles(['pause/main.go'])}`);
  const versitygwDir = join(cacheDir, `versitygw-${VERSITYGW_VERSION}`);
  const kube = await findComponents([options.kubeBin, kubeAssetsDir, kubeDir]);
  const binaries = { kube, versitygw: join(versitygwDir, 'versitygw'), pause: join(pauseDir, 'pause') };

  const isKubeOurs = needed.some((component) => kube[component] === join(kubeDir, component));
  await ensureServers({ kubeDir: isKubeOurs ? kubeDir : undefined, versitygwDir }, options);
  if (options.tier === 'cluster') await ensure(pauseDir, 'pause', options, (dir) => buildPause(dir, options));
  return binaries;
}

/**
 * Kubernetes where it has no folder of the user's, and the S3 server: its modules come while Kubernetes compiles, and it compiles when that is nearly done. Each
 * ends with what only one processor can do, the linker.
 */
async function ensureServers(
  { kubeDir, versitygwDir }: { readonly kubeDir: string | undefined; readonly versitygwDir: string },
  options: BinariesOptions,
): Promise<void> {
  const nearlyDone = Promise.withResolvers<undefined>();
  const onProgress: OnProgress = (progress) => {
    if ((progress.fraction ?? 0) > NEARLY_DONE) nearlyDone.resolve(undefined);
    options.onProgress(progress);
  };
  const withKube = async (signal: AbortSignal): Promise<void> => {
    const combined = { ...options, onProgress, signal };
    try {
      if (kubeDir !== undefined) await ensure(kubeDir, 'kube', combined, async (dir) => buildKube(dir, combined));
    } finally {
      nearlyDone.resolve(undefined);
    }
  };
  const withVersitygw = async (signal: AbortSignal): Promise<void> => {
    if (await isExecutable(join(versitygwDir, 'versitygw'))) return;
    const combined = { ...options, signal };
    if (kubeDir !== undefined) await downloadAhead(VERSITYGW, signal);
    await nearlyDone.promise;
    await ensure(versitygwDir, 'versitygw', combined, async (dir) => buildVersitygw(dir, combined));
  };
  await together(options.signal, withKube, withVersitygw);
}

/** The first folder that holds a component wins; the last one is the cache, where it may have to be built. */
async function findComponents(dirs: readonly (string | undefined)[]): Promise<Record<Component, string>> {
  const present = dirs.filter((dir) => dir !== undefined);
  const cache = present.at(-1) ?? cacheDir;
  const paths = COMPONENTS.map(async (component) => {
    for (const dir of present) {
      if (await isExecutable(join(dir, component))) return [component, join(dir, component)] as const;
    }
    return [component, join(cache, component)] as const;
  });
  return Object.fromEntries(await Promise.all(paths)) as Record<Component, string>;
}

/** Builds into a folder beside and renames it, under a lock, so that what is in the cache is whole and built once. */
async function ensure(
  dir: string,
  program: string,
  options: BinariesOptions,
  build: (dir: string) => Promise<void>,
): Promise<void> {
  if (await isExecutable(join(dir, program))) return;
  const go = await findCommand('go');
  if (go === undefined) {
    throw new MissingPart(
      `${program} is neither in the cache (${dir}) nor can it be built: Go 1.26 or newer is missing. ` +
        'Install it from https://go.dev/dl/, or name a folder with etcd, kube-apiserver, kube-controller-manager and kubectl by KUBEBUILDER_ASSETS.',
    );
  }
  const { onProgress, signal } = options;
  await withLock(join(cacheDir, 'locks', program), { what: `builds ${program}`, onProgress, signal }, async () => {
    if (await isExecutable(join(dir, program))) return;
    const fresh = `${dir}.${String(process.pid)}`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    await build(fresh);
    await rm(dir, { recursive: true, force: true });
    await rename(fresh, dir);
  });
}

async function buildKube(dir: string, { onProgress, signal }: BinariesOptions): Promise<void> {
  const packages = await countStalePackages(moduleDir, onProgress, signal);
  await buildGo({
    step: `Compiling Kubernetes ${KUBERNETES_VERSION}`,
    dir: moduleDir,
    command: 'build',
    args: ['-ldflags', kubeLinkerFlags(), '-o', join(dir, 'kube'), '.'],
    packages,
    expectedSeconds: packages > 1000 ? 300 : 40,
    onProgress,
    signal,
  });
  for (const component of COMPONENTS) await symlink('kube', join(dir, component));
}

/** Without these the server calls itself v0.0.0-master+$Format:%H$, and clients warn about the version skew. */
export function kubeLinkerFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split('.');
  const values = {
    gitVersion: KUBERNETES_VERSION,
    gitMajor: major,
    gitMinor: minor,
    gitCommit: '0'.repeat(40),
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
  };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const flags = packages.flatMap((name) =>
    Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value ?? ''}`),
  );
  return ['-s', '-w', ...flags].join(' ');
}

async function buildVersitygw(dir: string, { onProgress, signal }: BinariesOptions): Promise<void> {
  await buildGo({
    step: `Compiling the S3 server (versitygw ${VERSITYGW_VERSION})`,
    dir,
    command: 'install',
    args: ['-ldflags', '-s -w', VERSITYGW],
    env: { GOBIN: dir },
    packages: VERSITYGW_PACKAGES,
    expectedSeconds: 60,
    onProgress,
    signal,
  });
}

/** Seen when Kubernetes had been compiled before. `go install NAME@VERSION` cannot be asked in advance. */
const VERSITYGW_PACKAGES = 370;

async function buildPause(dir: string, { onProgress, signal }: BinariesOptions): Promise<void> {
  await buildGo({
    step: 'Compiling pause',
    dir: moduleDir,
    command: 'build',
    args: ['-ldflags', '-s -w', '-o', join(dir, 'pause'), './pause'],
    packages: 1,
    expectedSeconds: 5,
    onProgress,
    signal,
  });
}

async function hashFiles(names: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([COMPILER_FLAGS, kubeLinkerFlags()]));
  for (const name of names) hash.update(await readFile(join(moduleDir, name)));
  return hash.digest('hex').slice(0, 10);
}
