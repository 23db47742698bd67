// The operator's process: configuration, signals, exit code. Everything else is in operator.ts.
import { ConfigError, loadConfig } from './config.ts';
import { defaultTransport } from './kube/transport.ts';
import { createLogger } from './logger.ts';
import { startOperator } from './operator.ts';
import { systemClock } from './runtime/clock.ts';
import { Lifecycle } from './runtime/lifecycle.ts';
import { Shell } from './shell.ts';

const HELP = `switchyard-operator: serves the ModelDeployments of a cluster.
Settings: a YAML file named by SWITCHYARD_CONFIG (default /etc/switchyard/config.yaml) and environment variables; see docs/configuration.md.
The cluster is that of the pod's ServiceAccount, or of KUBECONFIG.
`;
/** Below terminationGracePeriodSeconds of the Deployment. */
const SHUTDOWN_MS = 20_000;

async function main(): Promise<void> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  const config = loadConfig();
  const log = createLogger(config.logLevel);
  const lifecycle = new Lifecycle(systemClock, SHUTDOWN_MS);
  const end = async (reason: string, code: number) => {
    log.info({ reason }, 'stopping');
    const { durationMs, failed } = await lifecycle.stop(reason);
    log.info({ durationMs, failed: failed.map(({ name, error }) => `${name}: ${String(error)}`) }, 'stopped');
    process.exit(code);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(signal, 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    void end('uncaught exception', 1);
  });
  const shell = new Shell({
    info: (message) => log.debug(message),
    run: () =>
      startOperator({
        config,
        log,
        clock: systemClock,
        transport: defaultTransport(),
        lifecycle,
        onFatal: (reason) => process.exit(fatal(log, reason)),
      }),
    shutDown: async () => {
      await lifecycle.stop('stopped');
    },
  });
  await shell.start();
}

/** Nothing may be written after the lease is lost, so nothing is tidied up: the process ends at once. */
function fatal(log: ReturnType<typeof createLogger>, reason: string): number {
  log.fatal({ reason }, 'ending');
  return 1;
}

/** What keeps it from starting is nearly always around it (a setting, a port, a kubeconfig): one line says so, the stack is for those who ask. */
function startFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError) return error.message;
  const wantsStack = ['debug', 'trace'].includes(process.env['LOG_LEVEL'] ?? '');
  return wantsStack
    ? (error.stack ?? error.message)
    : `the operator cannot start: ${error.message} (LOG_LEVEL=debug shows where)`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${startFailure(error)}\n`);
  process.exit(1);
});
