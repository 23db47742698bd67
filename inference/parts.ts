// What a server is put together from; nothing is opened yet.
import type { Logger } from 'pino';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { Connections } from './connections.ts';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import type { Artifacts } from './model/artifacts.ts';
import { checkCompatible } from './model/checks.ts';
import { modelLoader } from './model/loader.ts';
import { servedBy } from './model/prepare.ts';
import type { Reader } from './model/reader-thread.ts';
import { ModelSlot } from './model/slot.ts';
import type { Store } from './model/store.ts';
import { createCopies } from './monitoring/copies.ts';
import type { Copies } from './monitoring/copies.ts';
import { Counts } from './monitoring/counts.ts';
import { shadowView } from './monitoring/shadow-view.ts';
import type { Lines } from './monitoring/sinks.ts';
import { OnnxSessions } from './onnx/sessions.ts';
import { artifactsOf, firstRequest, storeOf } from './origin.ts';
import type { Overview } from './overview.ts';
import { loadedInfo } from './routes/metadata.ts';
import { sessionCalls } from './threads/remote-sessions.ts';
import { ServingThreads } from './threads/serving-threads.ts';
import type { StartThread } from './threads/serving-threads.ts';

export interface PartsOptions {
  readonly log: Logger;
  /** Bytes that this process may use; undefined: no limit is known. */
  readonly memoryLimit?: number;
  /** Reads artifacts on this thread, in tests; default: in a worker. */
  readonly reader?: Reader;
  /** Runs ONNX models; a test may want to end their worker. */
  readonly onnx?: OnnxSessions;
  /** Pauses within one download; see `Artifacts`. */
  readonly retryMs?: readonly number[];
  /** Where payload events go that are for standard output, and what other threads log. */
  readonly lines?: Lines;
  /** Told when the server cannot go on, though it may still be stopped in order. */
  readonly onBroken?: (error: Error) => void;
  /** Starts a serving thread; a test may want to end one. */
  readonly startThread?: StartThread;
}

export interface Parts {
  readonly config: Config;
  readonly log: Logger;
  readonly slot: ModelSlot;
  readonly store: Store;
  readonly artifacts: Artifacts;
  /** Of this thread. */
  readonly connections: Connections;
  /** Of this thread; others hand theirs over from time to time. */
  readonly counts: Counts;
  readonly overview: Overview;
  readonly copies: Copies;
  readonly onnx: OnnxSessions;
  readonly modelName: () => string;
  /** Those that answer beside this one: none where there is one core. */
  readonly threads: ServingThreads;
}

export async function assemble(config: Config, options: PartsOptions): Promise<Parts> {
  const { log, onnx = new OnnxSessions(), lines = process.stdout } = options;
  const { variant, modelDeployment, monitoring: settings, driftWindowMs: windowMs, driftMinRows: minRows } = config;
  const store = await storeOf(config);
  const artifacts = artifactsOf(config, store, log, options.retryMs);
  const modelName = () => modelDeployment ?? slot.current?.manifest.name ?? 'model';
  const copies = createCopies({ settings, variant, modelName, log, lines });
  const connections = new Connections();
  const counts = new Counts({ current: () => slot.current, windowMs, minRows });
  const overview: Overview = {
    metrics: () => threads.read().then(metrics.text),
    info: () => slot.current && loadedInfo(slot, variant),
    shadow: () => shadowView(copies.shadow),
    // As in the Python service nobody waits for it; what came of it is in the log and in /model/info.
    reload: () => void slot.load({ ...firstRequest(config), sequence: slot.sequence }).catch(() => undefined),
  };
  const threads = new ServingThreads({
    config,
    counts,
    connections,
    calls: { ...overview, ...sessionCalls(onnx), copy: copies.take, log: (line) => void lines.write(line) },
    onLost: (error) => options.onBroken?.(error),
    ...(options.startThread && { startThread: options.startThread }),
  });
  const metrics = createMetrics({
    slot: () => slot,
    modelName,
    connections: threads,
    counts,
    copies,
    threads,
    onnxSessions: () => onnx.count,
  });
  const slot = slotOf(config, { ...options, onnx }, { artifacts, metrics, threads });
  onnx.onLost = () => loadAgain(slot, log);
  return { config, log, slot, store, artifacts, connections, counts, overview, copies, onnx, modelName, threads };
}

function slotOf(
  config: Config,
  { log, memoryLimit, onnx, reader }: PartsOptions & Pick<Parts, 'onnx'>,
  { artifacts, metrics, threads }: Pick<Parts, 'artifacts' | 'threads'> & { readonly metrics: Metrics },
): ModelSlot {
  const limits = { maxBytes: config.maxModelBytes, ...(memoryLimit !== undefined && { memoryLimit }) };
  const loader = modelLoader({ ...limits, onnx, shared: threads.count > 0 }, reader);
  return new ModelSlot({
    artifacts,
    prepare: servedBy(loader, systemClock, threads.prepare.bind(threads)),
    checkSuccessor: (next, former) => checkCompatible(next.schema, former.schema),
    allowSchemaChange: config.allowSchemaChange,
    clock: systemClock,
    log,
    timeoutMs: config.loadTimeoutMs,
    onLoaded: metrics.reloaded,
    onCurrent: threads.serve.bind(threads),
    onDropped(served) {
      served.model.remote?.letGo();
      threads.drop(served);
    },
  });
}

/** The thread of the ONNX models has ended: without a model the server is not ready, until the same version is loaded from the disk. */
function loadAgain(slot: ModelSlot, log: Logger): void {
  log.error({ version: slot.current?.version }, 'the ONNX worker has ended, its models are loaded again');
  void slot.replace(({ model }) => model.remote !== undefined);
}
