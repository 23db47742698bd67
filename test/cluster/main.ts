// npm run cluster: a Kubernetes to try things on, started and stopped by hand.
import { spawn } from 'node:child_process';
import { HelpWanted, noMoreWords, oneOf, readCommandLine, UsageError } from '../command-line.ts';
import { runProgram } from '../program.ts';
import { clusterStatus, startCluster, stopCluster } from './cluster.ts';
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

const COMMANDS = ['up', 'down', 'status', 'kubectl'] as const;

interface Options {
  readonly tier: Tier | undefined;
  readonly kubeBin: string | undefined;
  readonly fresh: boolean;
}

const parseTier = (tier: string | undefined): Tier | undefined =>
  tier === undefined ? undefined : oneOf('--tier', tier, TIERS);

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  // What follows belongs to kubectl.
  if (args[0] === 'kubectl') return kubectl(args.slice(1));
  const { values, words } = readCommandLine(args, {
    tier: { type: 'string' },
    'kube-bin': { type: 'string' },
    fresh: { type: 'boolean' },
  });
  if (words[0] === undefined) throw new HelpWanted();
  const command = oneOf('command', words[0], COMMANDS);
  noMoreWords(words, 1);
  const options = { tier: parseTier(values.tier), kubeBin: values['kube-bin'], fresh: values.fresh === true };
  const progress = showProgress();
  try {
    return await execute(command, options, progress.report, signal);
  } finally {
    progress.close();
  }
}

async function execute(
  command: (typeof COMMANDS)[number],
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
    case 'kubectl':
      throw new UsageError('kubectl has to be the first word: what follows it is its own.');
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
  throw new MissingPart(`no instance is up: npm run cluster -- up${tier === undefined ? '' : ` --tier ${tier}`}`);
}

await runProgram(HELP, main);
