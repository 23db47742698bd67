// The two programs of a router pod, without the process around them: `renderStart` before HAProxy starts, `serve` beside it.
import { once } from 'node:events';
import type { Logger } from 'pino';
import type { Clock } from '../operator/runtime/clock.ts';
import { withDeadline } from '../operator/runtime/clock.ts';
import { Agent } from './agent.ts';
import { checksumOf } from './checksum.ts';
import type { ClusterNews } from './cluster.ts';
import { desiredMaps, desiredServers, NOTHING } from './desired.ts';
import { TIMES } from './contract.ts';
import { socketPath } from './haproxy/config.ts';
import type { RouterSettings } from './haproxy/config.ts';
import { StartFiles } from './haproxy/files.ts';
import { openCommandLine } from './haproxy/socket.ts';
import { createAgentServer } from './http.ts';
import { recall, remember } from './known-file.ts';
import type { Remembered } from './known-file.ts';
import type { RouterMetrics } from './metrics.ts';

export interface RunDeps {
  readonly settings: RouterSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells of the cluster until the signal is aborted: followCluster. */
  readonly follow: (news: ClusterNews, signal: AbortSignal) => Promise<void>;
}

export interface ServeDeps extends RunDeps {
  readonly metrics: RouterMetrics;
  readonly port: number;
  /** Aborted when the pod is told to go. */
  readonly stopping: AbortSignal;
}

/** Longest wait for the first answers of the API server before the container gives up and is started again. */
const RENDER_DEADLINE_MS = 120_000;
/** After HAProxy has been gone for so long it will not come back. */
const GONE_MS = 1_000;
const POLL_MS = 200;
/** HAProxy's own hard stop, and the pause before it. */
const OUTLIVE_MS = (TIMES.preStop + TIMES.hardStop + 10) * 1_000;

/**
 * Writes configuration and maps from what the API server says now, and resolves. When it says nothing in time, what this pod knew before
 * is used. @throws DOMException (TimeoutError) when there is nothing at all.
 */
export async function renderStart({ settings, clock, log, follow }: RunDeps, signal: AbortSignal): Promise<void> {
  const memory = await firstNews(clock, follow, signal).catch(async (error: unknown) => {
    const remembered = await recall(settings.directory);
    if (remembered === undefined) throw error;
    log.warn({ err: error }, 'no answer from the API server: starting with what was known before');
    return remembered;
  });
  const known = { ...memory, checksum: checksumOf(memory.table), draining: false };
  const servers = desiredServers(known, NOTHING);
  const filled = new Set(servers.filter(({ lastResort }) => !lastResort).map(({ slot }) => slot));
  const empty = new Set(memory.table.slots.map(({ slot }) => slot).filter((slot) => !filled.has(slot)));
  await new StartFiles(settings).write(servers, desiredMaps(known, empty, NOTHING), signal);
  await remember(settings.directory, memory, signal);
  log.info({ generation: memory.table.generation, servers: servers.length }, 'configuration written');
}

async function firstNews(clock: Clock, follow: RunDeps['follow'], signal: AbortSignal): Promise<Remembered> {
  const { promise, resolve, reject } = Promise.withResolvers<Remembered>();
  const deadline = withDeadline(clock, RENDER_DEADLINE_MS, signal);
  const enough = new AbortController();
  deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason), { once: true });
  const news = gather({}, ({ table, endpoints }) => {
    if (table !== undefined && endpoints !== undefined) resolve({ table, endpoints });
  });
  const following = follow(news, AbortSignal.any([deadline.signal, enough.signal]));
  try {
    return await promise;
  } finally {
    deadline.done();
    enough.abort();
    await following;
  }
}

/** Puts single news together to what is known. */
function gather(initial: Partial<Remembered>, onNews: (known: Partial<Remembered>) => void): ClusterNews {
  let known = initial;
  const learn = (news: Partial<Remembered>) => {
    known = { ...known, ...news };
    onNews(known);
  };
  return {
    setTable(table) {
      learn({ table });
    },
    setEndpoints(endpoints) {
      learn({ endpoints });
    },
  };
}

/**
 * Keeps HAProxy up to date and answers on `port`, until `stopping` is aborted and HAProxy has gone, so that its last requests still see
 * pods come and go. Rejects when the port cannot be opened.
 */
export async function serve(deps: ServeDeps): Promise<void> {
  const { settings, clock, log, metrics, port, stopping } = deps;
  const end = new AbortController();
  const agent = new Agent({
    settings,
    clock,
    log,
    commandLine: openCommandLine(socketPath(settings.directory)),
    files: new StartFiles(settings),
    drainMs: TIMES.request * 1_000,
    onPass: metrics.countPass,
  });
  const server = createAgentServer({ agent, metrics: metrics.text, signal: end.signal });
  server.listen(port);
  await once(server, 'listening');
  const news = await rememberedNews(agent, deps, end.signal);
  const following = deps.follow(news, end.signal);
  const running = agent.run(end.signal);
  log.info({ port }, 'agent started');

  if (!stopping.aborted) await once(stopping, 'abort');
  agent.drain();
  log.info('stopping: connections end with their next answer');
  await untilGone(agent, clock, OUTLIVE_MS);
  end.abort();
  server.close();
  server.closeAllConnections();
  await Promise.all([following, running]);
}

/** Passes the news on to the agent and keeps a copy in the file; begins with the copy of an earlier agent. */
async function rememberedNews(agent: Agent, { settings, log }: RunDeps, signal: AbortSignal): Promise<ClusterNews> {
  const tell = ({ table, endpoints }: Partial<Remembered>) => {
    if (table !== undefined) agent.setTable(table);
    if (endpoints !== undefined) agent.setEndpoints(endpoints);
  };
  const remembered = (await recall(settings.directory)) ?? {};
  tell(remembered);
  let writing = Promise.resolve();
  return gather(remembered, (known) => {
    tell(known);
    const { table, endpoints } = known;
    if (table === undefined || endpoints === undefined) return;
    writing = writing
      .then(() => remember(settings.directory, { table, endpoints }, signal))
      .catch((error: unknown) => log.warn({ err: error }, 'cannot write down what is known'));
  });
}

async function untilGone(agent: Agent, clock: Clock, deadlineMs: number): Promise<void> {
  const until = clock.monotonic() + deadlineMs;
  let seen = clock.monotonic();
  while (clock.monotonic() < until && clock.monotonic() - seen < GONE_MS) {
    await clock.sleep(POLL_MS, AbortSignal.timeout(10 * POLL_MS));
    if (!agent.isDown) seen = clock.monotonic();
  }
}
