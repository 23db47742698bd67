// The whole server as one object: main.ts starts it, tests start several in one process.
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Config } from './config.ts';
import { close, freePort, listen } from './listening.ts';
import { loadFirst, poll } from './model/first-load.ts';
import { firstRequest } from './origin.ts';
import { assemble } from './parts.ts';
import type { Parts, PartsOptions } from './parts.ts';
import { servingPorts } from './public-ports.ts';
import type { PublicPorts, Serving } from './public-ports.ts';
import { addAdminRoutes } from './routes/admin.ts';
import { createServer } from './server.ts';
import { directoryFailure } from './start-error.ts';

const MAX_ADMIN_BODY_BYTES = 64 * 1024;

export interface AppOptions extends PartsOptions {
  /** Pauses between attempts of the first load; see `loadFirst`. */
  readonly firstRetryMs?: number;
}

export interface Ports extends PublicPorts {
  readonly adminPort: number | undefined;
}

export interface App {
  /** Listens on its ports, prepares the disk, and begins the first load without waiting for it. */
  start(): Promise<Ports>;
  /** Resolves when the first load has succeeded or been given up. */
  readonly firstLoad: Promise<void>;
  /** Stops taking traffic, goes on answering for `drainMs`, then closes; resolves when every connection, and a temporary directory, is gone. */
  stop(drainMs?: number): Promise<void>;
  /** Predictions answered so far. */
  served(): number;
}

/** Builds the server of a configuration; nothing is opened yet. */
export async function createApp(config: Config, options: AppOptions): Promise<App> {
  const parts = await assemble(config, options);
  const { slot, threads } = parts;
  const ending = new AbortController();
  let leaving = false;
  const first = Promise.withResolvers<undefined>();
  const isLeaving = () => leaving || !threads.allServe;
  const publicApi = servingPorts({ ...parts, isLeaving });
  const adminApi = adminApiOf(parts);
  return {
    firstLoad: first.promise,
    served: () => parts.counts.served,
    async start() {
      const ports = await open(parts, publicApi, adminApi);
      void begin(parts, ending.signal, options.firstRetryMs).then(() => first.resolve(undefined));
      return ports;
    },
    async stop(drainMs = config.drainMs) {
      const { shutdownMs } = config;
      leaving = true;
      threads.closeAll();
      await sleep(drainMs);
      ending.abort();
      slot.close();
      await Promise.all([
        publicApi.close(shutdownMs),
        threads.close(shutdownMs),
        adminApi && close(adminApi, shutdownMs),
      ]);
      await Promise.all([parts.copies.close(shutdownMs), parts.onnx.close()]);
      await discardArtifacts(config);
    },
  };
}

async function open(parts: Parts, publicApi: Serving, adminApi: FastifyInstance | undefined): Promise<Ports> {
  const { config, artifacts, threads, log } = parts;
  const { variant, origin, servingThreads } = config;
  // The port first: whoever has it may be using the directory that is named after it.
  const ports = await publicApi.listen(await portsOf(parts), threads.count > 0);
  await artifacts.prepare().catch((error: unknown) => {
    throw directoryFailure(config.artifactDir, error);
  });
  const adminPort = await listenAdmin(adminApi, config);
  if (adminApi === undefined) log.warn('ADMIN_TOKEN is not set: the admin port is off');
  log.info({ ...ports, adminPort, servingThreads, variant, origin }, 'listening');
  threads.start(ports);
  return { ...ports, adminPort };
}

/** Where other threads listen too, another server would share a port unnoticed: it has to be free. Throws StartError. */
async function portsOf({ config, threads }: Parts): Promise<PublicPorts> {
  const { host, port, grpcPort: grpc } = config;
  const grpcPort = grpc === 0 ? undefined : grpc;
  if (threads.count === 0) return { port, grpcPort };
  return {
    port: await freePort('PORT', { host, port }),
    grpcPort: grpcPort && (await freePort('GRPC_PORT', { host, port: grpcPort })),
  };
}

async function listenAdmin(adminApi: FastifyInstance | undefined, config: Config): Promise<number | undefined> {
  if (adminApi === undefined) return undefined;
  try {
    return await listen(adminApi, 'ADMIN_PORT', { host: config.host, port: config.adminPort });
  } catch (error) {
    await discardArtifacts(config);
    throw error;
  }
}

/** A directory that nobody has chosen goes with the process. */
async function discardArtifacts({ artifactDir, artifactDirIsTemporary }: Config): Promise<void> {
  if (artifactDirIsTemporary) await rm(artifactDir, { recursive: true, force: true });
}

async function begin(parts: Parts, signal: AbortSignal, firstRetryMs?: number): Promise<void> {
  const { config, slot, store, log } = parts;
  parts.copies.start(signal, (peers) => parts.threads.shadow(peers));
  const request = firstRequest(config);
  await loadFirst(
    slot,
    request,
    signal,
    firstRetryMs === undefined ? undefined : { firstMs: firstRetryMs, lastMs: firstRetryMs },
  );
  if (config.pollMs > 0) void poll({ slot, store, key: request.key, everyMs: config.pollMs, log }, signal);
}

function adminApiOf({ config, slot, log, threads, ...parts }: Parts): FastifyInstance | undefined {
  const { adminToken: token, variant } = config;
  if (token === undefined) return undefined;
  const app = createServer({ slot, variant, log, maxBodyBytes: MAX_ADMIN_BODY_BYTES, accessLogEvery: 0 });
  addAdminRoutes(app, { slot, variant, token, ...parts, connections: threads });
  return app;
}
