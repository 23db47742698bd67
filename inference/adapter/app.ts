// The adapter as one object: the admin contract of the model server on one side, the other container's own API and file on the other.
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { App } from '../app.ts';
import { monotonicClock, systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { Connections } from '../connections.ts';
import type { ModelInfo } from '../contract.ts';
import { HttpError } from '../errors.ts';
import { close, listen } from '../listening.ts';

import type { Artifacts } from '../model/artifacts.ts';
import { loadFirst, poll } from '../model/first-load.ts';
import { modelLoader } from '../model/loader.ts';
import type { Reader } from '../model/reader-thread.ts';
import { ModelSlot } from '../model/slot.ts';
import type { LoadRequest, LoadStatus } from '../model/load-request.ts';
import type { Slot } from '../model/slot.ts';
import type { Store } from '../model/store.ts';
import { artifactsOf, firstRequest, storeOf } from '../origin.ts';
import { addAdminRoutes } from '../routes/admin.ts';
import { addHealthRoutes } from '../routes/health.ts';
import { addMetricsRoute } from '../routes/metrics.ts';
import { createServer } from '../server.ts';
import { NeighbourConnections } from './connections.ts';
import { guard } from './guard.ts';
import { Handover } from './handover.ts';
import type { Adapted } from './handover.ts';
import { createAdapterMetrics } from './metrics.ts';
import { ModelFile } from './model-file.ts';
import { Neighbour } from './neighbour.ts';
import { adaptedBy, checkAdaptedSuccessor } from './prepare.ts';
import type { AdapterSettings } from './settings.ts';

const MAX_BODY_BYTES = 64 * 1024;
const LOOK_MS = 1_000;

export interface AdapterOptions {
  readonly log: Logger;
  /** Pauses between attempts of the first load, in tests. */
  readonly firstRetryMs?: number;
  /** Pauses within one download; see `Artifacts`. */
  readonly retryMs?: readonly number[];
  /** Bytes that this process may use; undefined: no limit is known. */
  readonly memoryLimit?: number;
  /** Reads models on this thread, in tests. */
  readonly reader?: Reader;
}

/** What the container serves, in the words of the admin contract. */
class Adaptation implements Slot {
  readonly #slot: ModelSlot<Adapted>;
  readonly #handover: Handover;

  constructor(slot: ModelSlot<Adapted>, handover: Handover) {
    this.#slot = slot;
    this.#handover = handover;
  }

  get current(): Adapted | undefined {
    return this.#slot.current;
  }

  get sequence(): number {
    return this.#slot.sequence;
  }

  get loading(): ModelInfo['loading'] {
    return this.#slot.loading;
  }

  /** Of the last load; else what has happened to the container since. */
  get failure(): ModelInfo['failure'] {
    const { failure, sequence, isLoading } = this.#slot;
    const { problem } = this.#handover;
    if (failure !== undefined || problem === undefined || isLoading) return failure;
    return { ...problem, sequence };
  }

  async load(request: LoadRequest): Promise<LoadStatus> {
    await this.look();
    return this.#slot.load(request);
  }

  /** Asks the container first, so that what is reported is true now. */
  async look(): Promise<void> {
    await this.#handover.look(AbortSignal.timeout(LOOK_MS)).catch(() => undefined);
  }
}

interface Parts {
  readonly config: Config;
  readonly settings: AdapterSettings;
  readonly log: Logger;
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly file: ModelFile;
  readonly handover: Handover;
  readonly slot: ModelSlot<Adapted>;
  readonly adaptation: Adaptation;
  readonly metrics: ReturnType<typeof createAdapterMetrics>;
  /** Of our own ports. */
  readonly connections: Connections;
}

/** Builds the adapter of a configuration; nothing is opened yet. */
export async function createAdapter(config: Config, settings: AdapterSettings, options: AdapterOptions): Promise<App> {
  const parts = await assemble(config, settings, options);
  const { log, slot, handover } = parts;
  const ending = new AbortController();
  const first = Promise.withResolvers<undefined>();
  const healthApi = healthApiOf(parts);
  const adminApi = adminApiOf(parts);
  return {
    firstLoad: first.promise,
    served: () => 0,
    async start() {
      await parts.artifacts.prepare();
      await parts.file.prepare();
      const port = await listen(healthApi, 'PORT', config);
      const adminPort =
        adminApi && (await listen(adminApi, 'ADMIN_PORT', { host: config.host, port: config.adminPort }));
      log.info({ port, adminPort, beside: settings.port, origin: config.origin }, 'adapting');
      void begin(parts, ending.signal, options.firstRetryMs).then(() => first.resolve(undefined));
      return { port, adminPort };
    },
    async stop() {
      parts.connections.closeAll();
      ending.abort();
      slot.close();
      handover.close();
      const apis = adminApi === undefined ? [healthApi] : [healthApi, adminApi];
      await Promise.all(apis.map((api) => close(api, config.shutdownMs)));
    },
  };
}

async function assemble(config: Config, settings: AdapterSettings, options: AdapterOptions): Promise<Parts> {
  const { log, retryMs, reader, memoryLimit } = options;
  const store = await storeOf(config);
  const artifacts = artifactsOf(config, store, log, retryMs);
  const file = new ModelFile(settings.modelPath, config.maxModelBytes);
  const neighbour = new Neighbour(settings);
  const handover = new Handover({ settings, neighbour, file, clock: monotonicClock, log });
  const metrics = createAdapterMetrics(() => adaptation);
  const maxBytes = config.maxModelBytes;
  const slot = new ModelSlot<Adapted>({
    artifacts,
    prepare: adaptedBy({
      maxBytes,
      clock: systemClock,
      ...(settings.readModel && {
        loader: modelLoader({ maxBytes, ...(memoryLimit !== undefined && { memoryLimit }) }, reader),
      }),
    }),
    checkSuccessor: checkAdaptedSuccessor,
    allowSchemaChange: config.allowSchemaChange,
    activation: handover,
    clock: systemClock,
    log,
    timeoutMs: config.loadTimeoutMs,
    onLoaded: metrics.reloaded,
  });
  const adaptation = new Adaptation(slot, handover);
  const connections = new Connections();
  return { config, settings, log, store, artifacts, file, handover, slot, adaptation, metrics, connections };
}

async function begin(parts: Parts, signal: AbortSignal, firstRetryMs: number | undefined): Promise<void> {
  const { config, settings, slot, store, handover, log } = parts;
  const request = firstRequest(config);
  void guard(handover, { checkMs: settings.checkMs, isLoading: () => slot.isLoading }, signal);
  await loadFirst(slot, request, signal, {
    ...(firstRetryMs !== undefined && { firstMs: firstRetryMs, lastMs: firstRetryMs }),
    // Without a model from before nothing says whether the file or the container is to blame.
    retries: ({ reason }) => reason === 'LoadFailed',
  });
  if (config.pollMs > 0) void poll({ slot, store, key: request.key, everyMs: config.pollMs, log }, signal);
}

/** For the kubelet and Prometheus; the predictions are on the other container's port. */
function healthApiOf(parts: Parts): FastifyInstance {
  const { adaptation, handover, metrics } = parts;
  const app = serverOf(parts);
  addHealthRoutes(app, adaptation, () => false);
  app.get('/started', () => {
    if (!handover.hasFile) throw new HttpError(503, 'The model file is not in its place yet');
    return { status: 'started' };
  });
  addMetricsRoute(app, metrics.text);
  return app;
}

function adminApiOf(parts: Parts): FastifyInstance | undefined {
  const { config, settings, adaptation, artifacts, log } = parts;
  const { adminToken: token, variant, modelDeployment } = config;
  if (token === undefined) {
    log.warn('ADMIN_TOKEN is not set: the admin port is off');
    return undefined;
  }
  const app = serverOf(parts);
  addAdminRoutes(app, {
    slot: adaptation,
    artifacts,
    connections: new NeighbourConnections(settings.port),
    variant,
    token,
    modelName: () => modelDeployment ?? adaptation.current?.manifest.name ?? 'model',
    look: () => adaptation.look(),
  });
  return app;
}

function serverOf({ adaptation, config: { variant }, log, connections }: Parts): FastifyInstance {
  const limits = { maxBodyBytes: MAX_BODY_BYTES, accessLogEvery: 0 };
  return createServer({ slot: adaptation, variant, log, connections, ...limits });
}
