// /healthz, /readyz and /metrics. Liveness is judged by the event loop alone: a restart helps against nothing else.
import type { AddressInfo } from 'node:net';
import type { Clock, Timer } from './clock.ts';
import { createGetServer, type Answer } from './get-server.ts';

/** undefined: ready; else the reason why not. */
export type ReadyCheck = () => string | undefined;

export interface HealthServerOptions {
  readonly clock: Clock;
  readonly port: number;
  /** Default: all addresses. */
  readonly host?: string;
  readonly checks: Readonly<Record<string, ReadyCheck>>;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** /healthz fails while the event loop was held up for longer than this within the last 10 s. Default 5 s. */
  readonly maxLagMs?: number;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects when the port cannot be had. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const lag = watchLag(options.clock);
  const server = createGetServer({ answer: (path) => answerTo(options, lag, path), problem: text });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(options.port, options.host, () => resolve(undefined));
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      lag.stop();
      server.closeIdleConnections();
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

async function answerTo(options: HealthServerOptions, lag: Lag, path: string): Promise<Answer | undefined> {
  switch (path) {
    case '/healthz':
      return health(lag.worstMs(), options.maxLagMs ?? 5000);
    case '/readyz':
      return readiness(options.checks);
    case '/metrics':
      return { status: 200, ...(await options.metrics()) };
    default:
      return undefined;
  }
}

function text(status: number, body: string): Answer {
  return { status, body: `${body}\n`, contentType: 'text/plain; charset=utf-8' };
}

function health(lagMs: number, maxLagMs: number): Answer {
  return lagMs <= maxLagMs ? text(200, 'ok') : text(503, `the event loop was held up for ${Math.round(lagMs)} ms`);
}

/** One line a check, as the API server's own /readyz?verbose has. A check that throws is not ready. */
function readiness(checks: HealthServerOptions['checks']): Answer {
  const results = Object.entries(checks).map(([name, check]) => ({ name, reason: outcome(check) }));
  const lines = results.map(({ name, reason }) => (reason === undefined ? `[+] ${name} ok` : `[-] ${name}: ${reason}`));
  return text(results.every(({ reason }) => reason === undefined) ? 200 : 503, lines.join('\n'));
}

function outcome(check: ReadyCheck): string | undefined {
  try {
    return check();
  } catch (error) {
    return String(error);
  }
}

interface Lag {
  worstMs(): number;
  stop(): void;
}

const TICK_MS = 500;
const WINDOW_MS = 10_000;

/** How much too late a timer fires is how long the event loop was held up. */
function watchLag(clock: Clock): Lag {
  let delays: { readonly at: number; readonly ms: number }[] = [];
  let timer: Timer;
  let due = 0;
  const arm = () => {
    due = clock.monotonic() + TICK_MS;
    timer = clock.setTimer(TICK_MS, tick);
  };
  const tick = () => {
    const at = clock.monotonic();
    delays = [...delays.filter((delay) => at - delay.at < WINDOW_MS), { at, ms: at - due }];
    arm();
  };
  arm();
  return {
    // What is overdue right now counts too: the request may be answered before the timer.
    worstMs: () => Math.max(clock.monotonic() - due, ...delays.map(({ ms }) => ms)),
    stop: () => timer.cancel(),
  };
}
