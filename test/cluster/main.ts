// npm run cluster: a Kubernetes to try things on, started and stopped by hand.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { clusterStatus, startCluster, stopCluster } from './cluster.ts';
import { CommandFailed } from './command.ts';
import { baseEnv, TIERS, type Tier } from './config.ts';
import { stopDockerWhenIdle } from './docker.ts';
import { MissingPart } from './missing.ts';
import { readInstance, runDirOf } from './state.ts';
import { showProgress, type OnProgress } from '../progress.ts';

const HELP = `A one-node Kubernetes for development, without a registry of images and without leaving this machine.

  npm run cluster -- up [--tier api|cluster] [--kube-bin DIR] [--fresh]
  npm run cluster -- down [--tier api|cluster]
  npm run cluster -- status
  npm run cluster -- kubectl [--tier api|cluster] ARGUMENTS…

Tiers
  api       etcd, API server, controller manager and an S3 server on loopback; no root needed; starts in about 4 s
  cluster   a whole node with real pods in a network namespace; Linux, root and some Debian packages; starts in about 6 s  (default)

The first start compiles Kubernetes with Go (about 5 minutes on two cores). Programs in --kube-bin or KUBEBUILDER_ASSETS are taken first.
"up" is idempotent: what is healthy stays, --fresh starts anew. "down" without --tier takes down both.
`;

interface Options {
  readonly tier: Tier | undefined;
  readonly kubeBin: string | undefined;
  readonly fresh: boolean;
}

class UsageError extends Error {}

function parseTier(tier: string | undefined): Tier | undefined {
  const known = TIERS.find((candidate) => candidate === tier);
  if (tier !== undefined && known === undefined) throw new UsageError(`--tier is api or cluster, not ${tier}.`);
  return known;
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const [command, ...rest] = args;
  if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
    process.stdout.write(HELP);
    return command === undefined ? 2 : 0;
  }
  if (command === 'kubectl') return kubectl(rest);
  const { values } = parseArgs({
    args: rest,
    options: {
      tier: { type: 'string' },
      'kube-bin': { type: 'string' },
      fresh: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return main(['help'], signal);
  const options = { tier: parseTier(values.tier), kubeBin: values['kube-bin'], fresh: values.fresh === true };
  const progress = showProgress();
  try {
    return await execute(command, options, progress.report, signal);
  } finally {
    progress.close();
  }
}

async function execute(
  command: string,
  options: Options,
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<number> {
  switch (command) {
    case 'up':
      await up(options, onProgress, signal);
      return 0;
    case 'down':
      for (const tier of options.tier === undefined ? TIERS : [options.tier])
        await stopCluster(tier, onProgress, signal);
      if (options.tier !== 'api') await stopDockerWhenIdle(onProgress);
      return 0;
    case 'status':
      return status();
    default:
      throw new UsageError(`There is no command ${command}.`);
  }
}

async function up({ tier, kubeBin, fresh }: Options, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  const cluster = await startCluster({ tier: tier ?? 'cluster', kubeBin, fresh, onProgress, signal });
  const variables = Object.entries(cluster.env()).map(([name, value]) => `export ${name}=${value}`);
  process.stdout.write(`${variables.join('\n')}\nexport PATH=$PATH:${cluster.kubectlPath.replace(/\/kubectl$/, '')}\n`);
}

async function status(): Promise<number> {
  let healthy = 0;
  for (const tier of TIERS) {
    const { instance, healthy: isHealthy, daemons } = await clusterStatus(tier);
    const state = isHealthy ? 'healthy' : daemons.some(({ alive }) => alive) ? 'broken' : 'down';
    if (isHealthy) healthy += 1;
    process.stdout.write(
      `${tier.padEnd(8)} ${state}${instance === undefined ? '' : `  ${instance.server}  ${instance.runDir}`}\n`,
    );
    for (const { name, pid, alive } of daemons)
      process.stdout.write(`  ${name.padEnd(24)} ${String(pid).padStart(7)}  ${alive ? 'running' : 'ended'}\n`);
  }
  return healthy > 0 ? 0 : 1;
}

async function kubectl(args: readonly string[]): Promise<number> {
  const named = args[0] === '--tier';
  const tier = parseTier(named ? args[1] : undefined);
  const tiers = tier === undefined ? (['cluster', 'api'] as const) : [tier];
  for (const candidate of tiers) {
    const instance = await readInstance(runDirOf(candidate));
    if (instance === undefined) continue;
    const env = { ...baseEnv, KUBECONFIG: instance.kubeconfig };
    const child = spawn(instance.binaries.kube.kubectl, args.slice(named ? 2 : 0), { env, stdio: 'inherit' });
    return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
  }
  throw new UsageError(`No instance is up: npm run cluster -- up${tier === undefined ? '' : ` --tier ${tier}`}`);
}

function explain(error: unknown): string {
  if (error instanceof MissingPart) return `Cannot run here: ${error.message}`;
  if (error instanceof UsageError || error instanceof CommandFailed) return error.message;
  if (error instanceof TypeError && 'code' in error) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

// `… | head` closes the pipe; that is no error.
process.stdout.on('error', () => undefined);
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupt.abort(new UsageError(`Stopped by ${signal}.`)));
}
try {
  process.exitCode = await main(process.argv.slice(2), interrupt.signal);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
