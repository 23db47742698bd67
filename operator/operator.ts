// Puts the operator together and runs it: watches on every replica, everything that acts only on the one that holds the lease.
import { randomBytes, randomUUID } from 'node:crypto';
import { createSourceOpener } from './artifacts/opener.ts';
import { ArtifactPoller } from './artifacts/poller.ts';
import { StoreClients } from './artifacts/store-clients.ts';
import type { Config } from './config.ts';
import { resync, runController } from './controller.ts';
import { CrdCheck } from './crd-check.ts';
import type { Deps } from './deps.ts';
import { API_VERSION, KIND } from './domain/model-deployment.ts';
import { startInformers, type Informers } from './informers.ts';
import { createObjectWriter } from './kube/apply-object.ts';
import { createKubeClient, type KubeClient } from './kube/client.ts';
import type { Transport } from './kube/connection.ts';
import { EventRecorder } from './kube/events.ts';
import { LeaderElection } from './kube/lease.ts';
import type { Logger } from './logger.ts';
import { Memory } from './memory.ts';
import { countRequest, createMetrics, type Metrics } from './metrics.ts';
import { createReloadClient } from './pods/reload-client.ts';
import { PodReports } from './pods/reports.ts';
import { createRouterClient } from './pods/router-client.ts';
import { RouterReports } from './pods/router-reports.ts';
import { jittered } from './runtime/backoff.ts';
import type { Clock } from './runtime/clock.ts';
import { startHealthServer } from './runtime/health-server.ts';
import type { Lifecycle } from './runtime/lifecycle.ts';
import { WorkQueue } from './runtime/work-queue.ts';
import { secretReader } from './secrets.ts';

export interface OperatorOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Everything that is started registers here how it is stopped. */
  readonly lifecycle: Lifecycle;
  /** The process must end with an error: its lease is lost. */
  readonly onFatal: (reason: string) => void;
}

const FIELD_MANAGER = 'switchyard';
const STATUS_MANAGER = 'switchyard-status';
const PODS_ASKED_AT_ONCE = 16;
const INFO_DEADLINE_MS = 3000;
const APPLIED_DEADLINE_MS = 2000;
const QUEUE_BACKOFF = { baseMs: 1000, capMs: 300_000, random: Math.random };

/** What all parts share. */
interface Parts {
  readonly options: OperatorOptions;
  readonly metrics: Metrics;
  readonly client: KubeClient;
  readonly queue: WorkQueue;
  readonly informers: Informers;
  readonly election: LeaderElection;
  readonly crd: CrdCheck;
}

/** Resolves when the operator watches and stands by or leads; it goes on until `lifecycle.stop`. */
export async function startOperator(options: OperatorOptions): Promise<void> {
  const parts = await buildParts(options);
  void lead(parts).catch((error: unknown) => {
    if (options.lifecycle.signal.aborted) return;
    options.log.error({ err: error }, 'leading ended unexpectedly');
    options.onFatal('leading ended unexpectedly');
  });
}

async function buildParts(options: OperatorOptions): Promise<Parts> {
  const { config, log, clock, transport, lifecycle } = options;
  const metrics = createMetrics();
  const client = createKubeClient({
    transport,
    clock,
    userAgent: 'switchyard-operator',
    onRequest: (record) => countRequest(metrics, record),
  });
  lifecycle.onStop('connections to the API server', () => transport.close());
  const queue = new WorkQueue({ clock, backoff: QUEUE_BACKOFF });
  const watching = new AbortController();
  lifecycle.onStop('watches', () => watching.abort());
  const informers = startInformers({
    client,
    clock,
    random: Math.random,
    queue,
    log,
    onWatchFailure: (kind) => metrics.watchFailures.inc({ kind }),
    signal: watching.signal,
  });
  const election = new LeaderElection({
    client,
    clock,
    random: Math.random,
    namespace: config.podNamespace,
    name: config.leaderElection.leaseName,
    identity: `${config.podName}_${randomUUID()}`,
    onLeader: (identity) => log.info({ identity }, 'leader changed'),
    onFailure: (error) => log.warn({ status: error.status, message: error.message }, 'lease request failed'),
  });
  const crd = new CrdCheck({ client, clock, log });
  const parts = { options, metrics, client, queue, informers, election, crd };
  await serveHealth(parts);
  void crd.run(watching.signal);
  return parts;
}

async function serveHealth({ options, metrics, informers, queue, election, crd }: Parts): Promise<void> {
  const { config, clock, lifecycle } = options;
  const checks = {
    caches: informers.problem,
    crd: () => crd.problem,
    shutdown: () => (lifecycle.signal.aborted ? 'shutting down' : undefined),
  };
  const collect = async () => {
    metrics.leading.set(isLeading(options, election) ? 1 : 0);
    metrics.crdOutdated.set(crd.problem === undefined ? 0 : 1);
    for (const [state, count] of Object.entries(queue.depth())) metrics.queue.set({ state }, Number(count));
    return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
  };
  for (const port of [config.ports.health, config.ports.metrics]) {
    const server = await startHealthServer({ clock, port, checks, metrics: collect });
    lifecycle.onStop(`port ${port}`, () => server.close());
  }
}

function isLeading({ config }: OperatorOptions, election: LeaderElection): boolean {
  return !config.leaderElection.enabled || election.isLeading;
}

async function lead(parts: Parts): Promise<void> {
  const { options, informers, election } = parts;
  const { config, lifecycle, log, onFatal } = options;
  await informers.synced;
  if (config.leaderElection.enabled) {
    log.info({ lease: config.leaderElection.leaseName }, 'watching; waiting for the lease');
    // Not the lifecycle's signal: the lease is held until the last reconcile has ended.
    const holding = new AbortController();
    lifecycle.signal.addEventListener('abort', () => !election.isLeading && holding.abort(new Error('shutting down')), {
      once: true,
    });
    await election.acquire(holding.signal);
    lifecycle.onStop('lease', async (signal) => {
      holding.abort(new Error('shutting down'));
      await election.release(signal);
    });
    void election.hold(holding.signal).then((lost) => lost !== undefined && onFatal(lost));
  }
  log.info('leading');
  startWork(parts);
}

function startWork(parts: Parts): void {
  const { options, queue, informers } = parts;
  const { config, lifecycle, log, onFatal } = options;
  const deps = buildDeps(parts);
  const running = new AbortController();
  const worked = runController({
    deps,
    queue,
    workers: config.workers,
    signal: running.signal,
    onNotLeading: (error) => onFatal(error.message),
  });
  lifecycle.onStop('work queue', async (signal) => {
    signal.addEventListener('abort', () => running.abort(signal.reason), { once: true });
    await queue.shutDown();
    await worked;
  });
  void resyncForever(deps, queue, lifecycle.signal);
  log.info({ workers: config.workers, resources: informers.caches.resources.size }, 'reconciling');
}

/** The first round is what a new leader starts with; the others find what no event told of. */
async function resyncForever(deps: Deps, queue: WorkQueue, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    resync(deps, queue);
    await deps.clock.sleep(jittered(deps.config.resync, 0.2, Math.random), signal).catch(() => undefined);
  }
}

function buildDeps(parts: Parts): Deps {
  const { options, metrics, client, informers, election } = parts;
  const { config, log, clock, lifecycle } = options;
  const assertLeading = () => {
    if (config.leaderElection.enabled) election.assertLeading();
  };
  const readSecret = secretReader(client);
  const { pods, routers } = podClients(clock, lifecycle);
  return {
    clock,
    config,
    log,
    metrics,
    pods,
    routers,
    caches: informers.caches,
    writer: createObjectWriter({
      client,
      fieldManager: FIELD_MANAGER,
      statusManager: STATUS_MANAGER,
      assertLeading,
      cached: informers.cached,
      onWritten: informers.put,
    }),
    artifacts: startPoller(parts, readSecret),
    reports: new PodReports({
      clock,
      ask: (ip, token, signal) => pods.info(ip, token, { signal, deadlineMs: INFO_DEADLINE_MS }),
      concurrency: PODS_ASKED_AT_ONCE,
      maxAgeMs: config.resync,
    }),
    memory: new Memory(),
    readSecret: async (namespace, name, owner, signal) => {
      const secret = await readSecret(namespace, name, signal);
      return secret?.owner === owner ? secret.data : undefined;
    },
    emit: eventEmitter(options, client, assertLeading),
    newToken: () => randomBytes(32).toString('base64url'),
  };
}

function podClients(clock: Clock, lifecycle: Lifecycle): Pick<Deps, 'pods' | 'routers'> {
  const pods = createReloadClient({ clock });
  const client = createRouterClient({ clock });
  lifecycle.onStop('connections to pods', () => {
    pods.close();
    client.close();
  });
  const routers = new RouterReports({
    clock,
    ask: (ip, signal) => client.applied(ip, { signal, deadlineMs: APPLIED_DEADLINE_MS }),
  });
  return { pods, routers };
}

function startPoller({ options, queue, metrics }: Parts, readSecret: ReturnType<typeof secretReader>): ArtifactPoller {
  const { config, clock, log, lifecycle } = options;
  const clients = new StoreClients(clock);
  const opener = createSourceOpener({
    stores: config.stores,
    readSecret,
    openStore: (access) => clients.open(access),
    clock,
  });
  const poller = new ArtifactPoller({
    clock,
    random: Math.random,
    opener,
    onChange: (key) => queue.add(key),
    onCall: (operation, outcome) => metrics.storeCalls.inc({ operation, outcome }),
    onError: (error) => log.error({ err: error }, 'the poller failed unexpectedly'),
  });
  lifecycle.onStop('artifact poller', async () => {
    await poller.stop();
    clients.close();
  });
  return poller;
}

function eventEmitter(
  { config, clock, log, lifecycle }: OperatorOptions,
  client: KubeClient,
  assertLeading: () => void,
): Deps['emit'] {
  const recorder = new EventRecorder({
    client,
    clock,
    controller: 'switchyard.dev/operator',
    instance: config.podName,
    assertLeading,
    onDropped: ({ reason, regarding }, why) => log.debug({ reason, name: regarding.name, why }, 'event dropped'),
  });
  lifecycle.onStop('events', () => recorder.flush());
  return ({ namespace, name, uid }, { type, reason, action, message }) => {
    const regarding = { apiVersion: API_VERSION, kind: KIND, namespace, name, uid };
    recorder.record({ regarding, type, reason, action, note: message }, lifecycle.signal);
  };
}
