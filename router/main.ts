// The router's own program: `render` writes HAProxy's files before it starts, `agent` keeps the running HAProxy up to date.
import { createLogger } from '../operator/logger.ts';
import { createKubeClient } from '../operator/kube/client.ts';
import { inClusterTransport } from '../operator/kube/in-cluster.ts';
import { systemClock } from '../operator/runtime/clock.ts';
import { followCluster } from './cluster.ts';
import { loadConfig } from './config.ts';
import type { Config } from './config.ts';
import { bindsFor } from './haproxy/config.ts';
import type { RouterSettings } from './haproxy/config.ts';
import { createMetrics } from './metrics.ts';
import { renderStart, serve } from './run.ts';

const clock = systemClock;

function settingsFrom({ modelDeployment, directory, podIp, sticky, overrideHeader }: Config): RouterSettings {
  return {
    name: modelDeployment,
    directory,
    ...bindsFor(podIp),
    ...(sticky !== undefined && { sticky }),
    ...(overrideHeader !== undefined && { overrideHeader }),
  };
}

async function main(mode: string | undefined): Promise<void> {
  if (mode !== 'render' && mode !== 'agent') throw new Error('usage: main.js render|agent');
  const config = loadConfig(process.env);
  const log = createLogger(config.logLevel);
  const metrics = createMetrics();
  const transport = inClusterTransport({ clock, host: config.apiHost, port: config.apiPort });
  const client = createKubeClient({ transport, clock, userAgent: 'switchyard-router' });
  const cluster = { ...config, client, clock, log, random: Math.random, onFailure: metrics.countApiFailure };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  const deps = {
    settings: settingsFrom(config),
    clock,
    log,
    follow: (news: Parameters<typeof followCluster>[1], signal: AbortSignal) => followCluster(cluster, news, signal),
  };
  try {
    if (mode === 'render') await renderStart(deps, stop.signal);
    else await serve({ ...deps, metrics, port: config.agentPort, stopping: stop.signal });
  } finally {
    transport.close();
  }
}

main(process.argv[2]).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
