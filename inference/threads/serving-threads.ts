// Threads that answer requests beside the main one, by the same models: each model's arrays are in memory that all of them read. The main thread alone
// loads, and tells the others in two steps: a version is readied everywhere, then all change over to it, the main thread in the same turn as it tells the
// others. So whatever keeps one thread from a version keeps all of them on the one before.
//
//   main     read ── ready it ──┬─────────────── swap ─┬─ ... ─ load is done
//   thread                      └ ready it ─► ready    └ swap ─► serves
import { Worker } from 'node:worker_threads';
import type { Config } from '../config.ts';
import type { Connections } from '../connections.ts';
import type { ShadowPeer } from '../contract.ts';
import { LoadError } from '../errors.ts';
import type { ReadArtifact } from '../model/read-artifact.ts';
import type { ServedModel } from '../model/served.ts';
import type { Counts } from '../monitoring/counts.ts';
import type { PublicPorts } from '../public-ports.ts';
import { surplusOf } from './balance.ts';
import { Line } from './line.ts';
import type { MainCalls, Reading, ThreadCalls, ThreadConfig, ThreadStart } from './protocol.ts';

/** Beside this file in the sources, beside main.js in a bundle. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './serving-thread.js', import.meta.url);
/** So often counts are fetched that nobody asks for (windows of drift are divided into minutes), and connections are divided anew. */
const LOOK_MS = 5_000;

export type StartThread = (start: ThreadStart) => Worker;

export interface ServingThreadsOptions {
  readonly config: Config;
  /** Of the main thread; the counts of the others are added to these. */
  readonly counts: Counts;
  readonly connections: Connections;
  readonly calls: Omit<MainCalls, 'counted'>;
  /** Told of a thread that has ended by itself, once. */
  readonly onLost: (error: Error) => void;
  /** Starts a thread; a test may want to end one. */
  readonly startThread?: StartThread;
}

interface Thread {
  readonly worker: Worker;
  readonly line: Line<ThreadCalls>;
  readonly busy: Busy;
  open: number;
  inFlight: number;
}

/** Share of the time that a thread was at work, since the last call. */
type Busy = () => number;

interface Version {
  readonly id: number;
  readonly served: ServedModel;
}

export class ServingThreads {
  readonly #options: ServingThreadsOptions;
  #threads: readonly Thread[] = [];
  #versions: readonly Version[] = [];
  #lastId = 0;
  #allServe = false;
  #isEnding = false;
  #busy: readonly number[] = [];
  #looking: NodeJS.Timeout | undefined;

  constructor(options: ServingThreadsOptions) {
    this.#options = options;
  }

  /** Threads beside the main one. */
  get count(): number {
    return this.#options.config.servingThreads - 1;
  }

  /** Every thread has a model. */
  get allServe(): boolean {
    return this.#allServe;
  }

  /** Share of the time that each thread was at work, the main one first, when they were last looked at. */
  get busy(): readonly number[] {
    return this.#busy;
  }

  /** Open connections of all, as far as they have been read. */
  get open(): number {
    return this.#threads.reduce((sum, { open }) => sum + open, this.#options.connections.open);
  }

  /** Requests that are under way in all. */
  get inFlight(): number {
    return this.#threads.reduce((sum, { inFlight }) => sum + inFlight, this.#options.connections.inFlight);
  }

  /** Begins to start them. They listen on `ports`, as the main thread does. */
  start(ports: PublicPorts): void {
    this.#threads = Array.from({ length: this.count }, () => this.#started(ports));
    if (this.count === 0) return;
    const own = busyOf(performance);
    this.#looking = setInterval(() => void this.#look(own), LOOK_MS).unref();
  }

  /** Readies all for a version; until `serve` nothing changes. Throws LoadError, the reason of `signal`. */
  async prepare(served: ServedModel, artifact: ReadArtifact, signal: AbortSignal): Promise<void> {
    const id = (this.#lastId += 1);
    this.#versions = [...this.#versions, { id, served }];
    try {
      const ready = this.#threads.map(({ line }) => line.call('prepare', { id, artifact }));
      const [failure] = (await orAborted(Promise.all(ready), signal)).filter((each) => each !== undefined);
      if (failure !== undefined) throw new LoadError(failure.reason, failure.message);
    } catch (error) {
      this.drop(served);
      throw error;
    }
  }

  /** All change over to a version that is ready, or to none. Resolves when they have; never throws. */
  async serve(served: ServedModel | undefined): Promise<void> {
    const id = served && this.#versions.find((version) => version.served.model === served.model)?.id;
    await Promise.allSettled(this.#threads.map(({ line }) => line.call('serve', id)));
    if (this.#allServe || id === undefined) return;
    this.#allServe = true;
    for (const { line } of this.#threads) line.tell('open');
  }

  /** Nobody will ask for this version again. */
  drop({ model }: ServedModel): void {
    const dropped = this.#versions.filter(({ served }) => served.model === model);
    this.#versions = this.#versions.filter(({ served }) => served.model !== model);
    for (const { id } of dropped) for (const { line } of this.#threads) line.tell('drop', id);
  }

  /** Adds to the counts what the threads have counted since the last time. Never throws. */
  async read(): Promise<void> {
    await Promise.allSettled(this.#threads.map(async (thread) => this.#note(thread, await thread.line.call('read'))));
  }

  /** How many of the connections that were open when `id` was first asked for still are. */
  async drain(id: string): Promise<number> {
    const others = this.#threads.map(({ line }) => line.call('drain', id));
    const own = this.#options.connections.drain(id);
    return (await Promise.all(others)).reduce((sum, each) => sum + each, own);
  }

  /** Who gets shadow copies from now on. */
  shadow(peers: readonly ShadowPeer[]): void {
    for (const { line } of this.#threads) line.tell('shadow', peers);
  }

  /** Every answer ends its connection from now on. */
  closeAll(): void {
    this.#options.connections.closeAll();
    for (const { line } of this.#threads) line.tell('leave');
  }

  /** Lets them answer what is under way, up to the limit, and ends them. */
  async close(limitMs: number): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#looking);
    await Promise.allSettled(
      this.#threads.map(async (thread) => {
        this.#note(thread, await thread.line.call('close', limitMs));
        await thread.worker.terminate();
      }),
    );
  }

  /** Ends connections where there are too many, so that their clients come back on others. `own`: of the main thread. */
  async #look(own: Busy): Promise<void> {
    await this.read();
    const { connections } = this.#options;
    this.#busy = [own(), ...this.#threads.map(({ busy }) => busy())];
    const open = [connections.open, ...this.#threads.map((thread) => thread.open)];
    const loads = this.#busy.map((busy, at) => ({ busy, connections: open[at] ?? 0 }));
    const [surplus = 0, ...others] = surplusOf(loads);
    connections.shed(surplus);
    for (const [at, { line }] of this.#threads.entries()) line.tell('shed', others[at] ?? 0);
  }

  #started(ports: PublicPorts): Thread {
    const { config, calls, startThread = startWorker } = this.#options;
    const worker = startThread({ config: threadConfig(config), ports });
    const counted = (reading: Reading) => this.#note(thread, reading);
    const line = new Line<ThreadCalls>(worker, { ...calls, counted } satisfies MainCalls);
    const thread: Thread = { worker, line, busy: busyOf(worker.performance), open: 0, inFlight: 0 };
    worker.on('error', (error: Error) => this.#lose(thread, error));
    worker.on('exit', (code) => this.#lose(thread, new Error(`a serving thread has ended with code ${code}`)));
    return thread;
  }

  #note(thread: Thread, { id, taken, open, inFlight }: Reading): void {
    Object.assign(thread, { open, inFlight });
    this.#options.counts.add(taken, this.#versions.find((version) => version.id === id)?.served);
  }

  #lose(lost: Thread, error: Error): void {
    lost.line.end(error);
    if (this.#isEnding || !this.#threads.includes(lost)) return;
    this.#threads = this.#threads.filter((thread) => thread !== lost);
    this.#options.onLost(error);
  }
}

function busyOf({ eventLoopUtilization }: Pick<typeof performance, 'eventLoopUtilization'>): Busy {
  let last = eventLoopUtilization();
  return () => {
    const now = eventLoopUtilization();
    const { utilization } = eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** Without what a thread has no use for, such as the token. */
function threadConfig(config: Config): ThreadConfig {
  const { host, variant, maxRows, maxBodyBytes, accessLogEvery, corsOrigins, allowPublicReload } = config;
  const { modelDeployment, logLevel, maxModelBytes, driftWindowMs, driftMinRows } = config;
  const { payloads, shadow } = config.monitoring;
  return {
    ...{ host, variant, maxRows, maxBodyBytes, accessLogEvery, corsOrigins, allowPublicReload },
    ...{ logLevel, maxModelBytes, driftWindowMs, driftMinRows },
    ...(modelDeployment !== undefined && { modelDeployment }),
    copies: { hasShadow: shadow !== undefined, ...(payloads && { payloadRate: payloads.rate }) },
  };
}

/** The usual way. */
export function startWorker(start: ThreadStart): Worker {
  return new Worker(THREAD, { workerData: start, env: {} });
}

/** What `work` resolves to, unless the signal comes first. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
