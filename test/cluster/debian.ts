// The programs that tier `cluster` takes from the system: found by their files, installed from Debian when we are root and apt is there.
import { existsSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { findCommand, isExecutable, run } from './command.ts';
import { isRoot, type Tier } from './config.ts';
import { MissingPart } from './missing.ts';
import { asStep, type OnProgress } from '../progress.ts';

export interface Requirement {
  /** Name in Debian, and in Ubuntu. */
  readonly package: string;
  /** A program of it: a name on the PATH, or an absolute path. */
  readonly program: string;
}

/** Looked up by program, so that a machine that has Docker from elsewhere is fine. */
export const REQUIREMENTS: readonly Requirement[] = [
  { package: 'docker.io', program: 'dockerd' },
  { package: 'containerd', program: 'ctr' },
  { package: 'containerd', program: 'containerd' },
  { package: 'runc', program: 'runc' },
  { package: 'containernetworking-plugins', program: '/usr/lib/cni/bridge' },
  { package: 'iptables', program: 'iptables' },
  { package: 'nftables', program: 'nft' },
  { package: 'iproute2', program: 'ip' },
  { package: 'debootstrap', program: 'debootstrap' },
  { package: 'haproxy', program: 'haproxy' },
];

const POLICY = '/usr/sbin/policy-rc.d';
const APT_TIMEOUT_MS = 10 * 60_000;

/** Installs what the tier lacks. Throws {@link MissingPart} where that is not possible; says then what to do. */
export async function ensurePackages(tier: Tier, onProgress: OnProgress, signal?: AbortSignal): Promise<void> {
  if (tier === 'api') return;
  if (process.platform !== 'linux') throw new MissingPart('A real node needs Linux.');
  if (!isRoot) throw new MissingPart('A real node needs root (network namespaces, mounts, cgroups): run it by sudo.');
  const missing = await missingPackages();
  if (missing.length === 0) return;
  if ((await findCommand('apt-get')) === undefined) {
    throw new MissingPart(
      `Missing, and there is no apt-get to install it: ${missing.join(', ')} (names of Debian's packages).`,
    );
  }
  await install(missing, onProgress, signal);
  const left = await missingPackages();
  if (left.length > 0) throw new MissingPart(`Still missing after apt-get install: ${left.join(', ')}.`);
}

/** Names of the packages of which a program is not there. */
export async function missingPackages(requirements: readonly Requirement[] = REQUIREMENTS): Promise<string[]> {
  const present = await Promise.all(requirements.map(async ({ program }) => isPresent(program)));
  return [
    ...new Set(requirements.filter((_, index) => present[index] === false).map((requirement) => requirement.package)),
  ];
}

async function isPresent(program: string): Promise<boolean> {
  return program.startsWith('/') ? isExecutable(program) : (await findCommand(program)) !== undefined;
}

async function install(
  packages: readonly string[],
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const step = { step: `Installing ${packages.join(', ')}`, expectedSeconds: 60 };
  await asStep(onProgress, step, async () =>
    withoutServices(async () => {
      const options = {
        env: { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
        timeoutMs: APT_TIMEOUT_MS,
        signal,
      };
      try {
        await run('apt-get', ['update', '--quiet'], options);
        await run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...packages], options);
      } catch (cause) {
        throw new MissingPart(
          `Could not install ${packages.join(', ')}: ${cause instanceof Error ? cause.message : ''}`,
          { cause },
        );
      }
    }),
  );
}

/** Debian starts a service when it is installed, unless policy-rc.d answers 101. We want programs, not the system's dockerd. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return work();
  await writeFile(POLICY, '#!/bin/sh\nexit 101\n');
  await chmod(POLICY, 0o755);
  try {
    await work();
  } finally {
    await rm(POLICY, { force: true });
  }
}
