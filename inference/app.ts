// The whole server as one object: main.ts starts it, tests start several in one process.
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { Connections } from './connections.ts';
import { grpcPort } from './grpc/port.ts';
import type { GrpcPort } from './grpc/port.ts';
import { close, listen } from './listening.ts';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import type { Artifacts } from './model/artifacts.ts';
import { Batches } from './model/batches.ts';
import { checkCompatible } from './model/checks.ts';
import { loadFirst, poll } from './model/first-load.ts';
import { modelLoader } from './model/loader.ts';
import type { Reader } from './model/reader-thread.ts';
import { servedBy } from './model/prepare.ts';
import { OnnxSessions } from './onnx/sessions.ts';
import { ModelSlot } from './model/slot.ts';
import type { Store } from './model/store.ts';
import { createCopies } from './monitoring/copies.ts';
import type { Copies } from './monitoring/copies.ts';
import type { Lines } from './monitoring/sinks.ts';
import { artifactsOf, firstRequest, storeOf } from './origin.ts';
import { createPublicApi } from './public-api.ts';
import { addAdminRoutes } from './routes/admin.ts';
import type { ModelsOptions } from './routes/models.ts';
import { createServer } from './server.ts';
import { directoryFailure } from './start-error.ts';

const MAX_ADMIN_BODY_BYTES = 64 * 1024;

export interface AppOptions {
  readonly log: Logger;
  /** Bytes that this process may use; undefined: no limit is known. */
  readonly memoryLimit?: number;
  /** Pauses between attempts of the first load; see `loadFirst`. */
  readonly firstRetryMs?: number;
  /** Reads artifacts on this thread, in tests; default: in a worker. */
  readonly reader?: Reader;
  /** Runs ONNX models; a test may want to end their worker. */
  readonly onnx?: OnnxSessions;
  /** Pauses within one download; see `Artifacts`. */
  readonly retryMs?: readonly number[];
  /** Where payload events go that are for standard output. */
  readonly lines?: Lines;
}

/** undefined: it is off. */
export interface Ports {
  readonly port: number;
  readonly grpcPort?: number | undefined;
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

interface Parts {
  readonly config: Config;
  readonly log: Logger;
  readonly slot: ModelSlot;
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly metrics: Metrics;
  readonly connections: Connections;
  readonly copies: Copies;
  readonly onnx: OnnxSessions;
  readonly modelName: () => string;
}

/** Builds the server of a configuration; nothing is opened yet. */
export async function createApp(config: Config, options: AppOptions): Promise<App> {
  const parts = await assemble(config, options);
  const { slot, artifacts, log, metrics, connections } = parts;
  const ending = new AbortController();
  let leaving = false;
  const first = Promise.withResolvers<undefined>();
  const { maxRows } = config;
  const models: ModelsOptions = { ...parts, isLeaving: () => leaving, batches: new Batches(), maxRows };
  const publicApi = publicApiOf(parts, models);
  const grpcApi = grpcPortOf(parts, models);
  const adminApi = adminApiOf(parts);
  return {
    firstLoad: first.promise,
    served: metrics.served,
    async start() {
      // The port first: whoever has it may be using the directory that is named after it.
      const port = await listen(publicApi, 'PORT', config.host, config.port);
      const grpc = await grpcApi?.listen(config.host, config.grpcPort);
      await artifacts.prepare().catch((error: unknown) => {
        throw directoryFailure(config.artifactDir, error);
      });
      const adminPort = await listenAdmin(adminApi, config);
      if (adminApi === undefined)
        log.warn('ADMIN_TOKEN is not set: the admin port is off, the model cannot be reloaded');
      log.info({ port, grpcPort: grpc, adminPort, variant: config.variant, origin: config.origin }, 'listening');
      void begin(parts, ending.signal, options.firstRetryMs).then(() => first.resolve(undefined));
      return { port, grpcPort: grpc, adminPort };
    },
    async stop(drainMs = config.drainMs) {
      leaving = true;
      connections.closeAll();
      await sleep(drainMs);
      ending.abort();
      slot.close();
      const apis = adminApi === undefined ? [publicApi] : [publicApi, adminApi];
      await Promise.all([grpcApi?.close(config.shutdownMs), ...apis.map((api) => close(api, config.shutdownMs))]);
      await Promise.all([parts.copies.close(config.shutdownMs), parts.onnx.close()]);
      await discardArtifacts(config);
    },
  };
}

async function listenAdmin(adminApi: FastifyInstance | undefined, config: Config): Promise<number | undefined> {
  if (adminApi === undefined) return undefined;
  try {
    return await listen(adminApi, 'ADMIN_PORT', config.host, config.adminPort);
  } catch (error) {
    await discardArtifacts(config);
    throw error;
  }
}

/** A directory that nobody has chosen goes with the process. */
async function discardArtifacts({ artifactDir, artifactDirIsTemporary }: Config): Promise<void> {
  if (artifactDirIsTemporary) await rm(artifactDir, { recursive: true, force: true });
}

async function assemble(
  config: Config,
  { log, memoryLimit: limit, retryMs, reader, lines, onnx = new OnnxSessions() }: AppOptions,
): Promise<Parts> {
  const { modelDeployment } = config;
  const store = await storeOf(config);
  const artifacts = artifactsOf(config, store, log, retryMs);
  const connections = new Connections();
  const modelName = () => modelDeployment ?? slot.current?.manifest.name ?? 'model';
  const { variant, monitoring: settings } = config;
  const copies = createCopies({ settings, variant, modelName, log, lines: lines ?? process.stdout });
  const metrics = createMetrics({
    slot: () => slot,
    modelName,
    connections,
    copies,
    onnxSessions: () => onnx.count,
    drift: {
      current: () => slot.current,
      windowMs: config.driftWindowMs,
      minRows: config.driftMinRows,
    },
  });
  const limits = { maxBytes: config.maxModelBytes, ...(limit !== undefined && { memoryLimit: limit }) };
  const slot = new ModelSlot({
    artifacts,
    prepare: servedBy(modelLoader({ ...limits, onnx }, reader), systemClock),
    checkSuccessor: (next, former) => checkCompatible(next.schema, former.schema),
    allowSchemaChange: config.allowSchemaChange,
    clock: systemClock,
    log,
    timeoutMs: config.loadTimeoutMs,
    onLoaded: metrics.reloaded,
    onDropped: ({ model }) => model.remote?.letGo(),
  });
  onnx.onLost = () => loadAgain(slot, log);
  return { config, log, slot, store, artifacts, metrics, connections, copies, onnx, modelName };
}

/** The thread of the ONNX models has ended: without a model the server is not ready, until the same version is loaded from the disk. */
function loadAgain(slot: ModelSlot, log: Logger): void {
  log.error({ version: slot.current?.version }, 'the ONNX worker has ended, its models are loaded again');
  void slot.replace(({ model }) => model.remote !== undefined);
}

async function begin(parts: Parts, signal: AbortSignal, firstRetryMs?: number): Promise<void> {
  const { config, slot, store, log } = parts;
  parts.copies.start(signal);
  const request = firstRequest(config);
  await loadFirst(
    slot,
    request,
    signal,
    firstRetryMs === undefined ? undefined : { firstMs: firstRetryMs, lastMs: firstRetryMs },
  );
  if (config.pollMs > 0) void poll({ slot, store, key: request.key, everyMs: config.pollMs, log }, signal);
}

function publicApiOf({ config, log, connections, copies }: Parts, models: ModelsOptions): FastifyInstance {
  const { slot } = models;
  const reload = () => {
    // As in the Python service nobody waits for it; what came of it is in the log and in /model/info.
    slot.load({ ...firstRequest(config), sequence: slot.sequence }).catch(() => undefined);
  };
  const { variant, maxBodyBytes, accessLogEvery, corsOrigins, allowPublicReload } = config;
  const options = { ...models, log, connections, variant, maxBodyBytes, accessLogEvery, corsOrigins, copies };
  return createPublicApi({ ...options, ...(allowPublicReload && { reload }) });
}

function grpcPortOf({ config, log, connections, copies }: Parts, models: ModelsOptions): GrpcPort | undefined {
  const { variant, maxBodyBytes, accessLogEvery } = config;
  if (config.grpcPort === 0) return undefined;
  return grpcPort({ ...models, log, connections, copies, variant, maxBodyBytes, accessLogEvery });
}

function adminApiOf({ config, slot, log, ...parts }: Parts): FastifyInstance | undefined {
  const { adminToken: token, variant } = config;
  if (token === undefined) return undefined;
  const app = createServer({ slot, variant, log, maxBodyBytes: MAX_ADMIN_BODY_BYTES, accessLogEvery: 0 });
  addAdminRoutes(app, { slot, variant, token, ...parts });
  return app;
}
