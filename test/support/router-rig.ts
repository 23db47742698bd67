// The router on loopback: the real HAProxy, the real agent, and small model pods that are HTTP servers of this process.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../operator/runtime/clock.ts';
import { Applied } from '../../router/contract.ts';
import type { RouterTable, SlotEntry } from '../../router/contract.ts';
import type { ClusterNews } from '../../router/cluster.ts';
import type { Endpoint } from '../../router/endpoints.ts';
import { configPath, socketPath } from '../../router/haproxy/config.ts';
import type { RouterSettings } from '../../router/haproxy/config.ts';
import { readServers } from '../../router/haproxy/servers.ts';
import { openCommandLine } from '../../router/haproxy/socket.ts';
import { createMetrics } from '../../router/metrics.ts';
import { renderStart, serve } from '../../router/run.ts';
import { nextRanges } from '../../router/split.ts';

const HOST = '127.0.0.1';

/** A model pod: answers every request with its variant and name. */
export interface FakePod {
  readonly endpoint: Endpoint;
  served: number;
  /** Stops as a good server does: no new connections, the present ones end with their answer. */
  leave(): Promise<void>;
  /** Is gone at once, as after a power cut that resets connections. */
  die(): Promise<void>;
}

export async function startPod(variant: string, uid: string, delayMs = 0): Promise<FakePod> {
  let leaving = false;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      pod.served += 1;
      if (leaving) response.setHeader('connection', 'close');
      const answer = () => response.end(JSON.stringify({ variant, uid, id: request.headers['x-request-id'] }));
      if (delayMs > 0) setTimeout(answer, delayMs);
      else answer();
    });
  });
  server.keepAliveTimeout = 90_000;
  const port = await listen(server);
  const closed = () => new Promise<void>((resolve) => server.close(() => resolve()));
  const pod: FakePod = {
    endpoint: { uid, address: HOST, port, ready: true },
    served: 0,
    async leave() {
      leaving = true;
      await closed();
    },
    async die() {
      server.closeAllConnections();
      await closed();
    },
  };
  return pod;
}

async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, HOST);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A table in which each variant has the slot of its place, and the Service of its name. */
export function tableOf(weights: Readonly<Record<string, number>>, previous?: RouterTable): RouterTable {
  const slots: SlotEntry[] = Object.keys(weights).map((variant, slot) => ({ slot, variant, service: variant }));
  const shares = slots.map(({ slot, variant }) => ({ slot, weight: weights[variant] ?? 0 }));
  return { generation: (previous?.generation ?? 0) + 1, slots, ranges: nextRanges(previous?.ranges, shares) };
}

export type RigOptions = Pick<RouterSettings, 'sticky' | 'overrideHeader'> & { readonly table: RouterTable };

interface Ports {
  readonly traffic: number;
  readonly status: number;
  readonly agent: number;
}

export class RouterRig {
  readonly #settings: RouterSettings;
  readonly #pods = new Map<string, FakePod[]>();
  readonly #ports: Ports;
  readonly #stopping = new AbortController();
  #table: RouterTable;
  #news: ClusterNews | undefined;
  #haproxy: ChildProcess | undefined;
  readonly #agents: Promise<void>[] = [];
  output = '';

  private constructor(settings: RouterSettings, ports: Ports, table: RouterTable) {
    this.#settings = settings;
    this.#ports = ports;
    this.#table = table;
  }

  /** Renders, starts HAProxy and the agent, and waits until the router is ready. `pods`: variant → its pods. */
  static async start(
    { table, ...options }: RigOptions,
    pods: Readonly<Record<string, readonly FakePod[]>>,
  ): Promise<RouterRig> {
    const directory = await mkdtemp(join(tmpdir(), 'rig-'));
    const ports = { traffic: await freePort(), status: await freePort(), agent: await freePort() };
    const binds = { trafficBind: `${HOST}:${ports.traffic}`, statusBind: `${HOST}:${ports.status}` };
    const rig = new RouterRig({ name: 'retail', directory, ...binds, ...options }, ports, table);
    for (const [variant, list] of Object.entries(pods)) rig.#pods.set(variant, [...list]);
    await renderStart(rig.#deps(), AbortSignal.timeout(5_000));
    await rig.startHaproxy();
    rig.startAgent();
    await rig.until(() => rig.isReady(), 'the router becomes ready');
    return rig;
  }

  get ports(): Ports {
    return this.#ports;
  }

  get url(): string {
    return `http://${HOST}:${this.#ports.traffic}/predict`;
  }

  /** Open connections of HAProxy, that of this question included. */
  async connections(): Promise<number> {
    const info = await openCommandLine(socketPath(this.#settings.directory)).ask(
      'show info',
      AbortSignal.timeout(2_000),
    );
    return Number(/^CurrConns: (\d+)$/m.exec(info)?.[1]);
  }

  /** Names of the servers that HAProxy holds, whatever their state. */
  async serverNames(): Promise<string[]> {
    const commandLine = openCommandLine(socketPath(this.#settings.directory));
    return (await readServers(commandLine, AbortSignal.timeout(2_000))).map(({ name }) => name);
  }

  /** As the operator does: a new table in the ConfigMap. */
  sendWeights(weights: Readonly<Record<string, number>>): void {
    this.#table = tableOf(weights, this.#table);
    this.#news?.setTable(this.#table);
  }

  /** Resolves when the router has applied the new table. */
  async setWeights(weights: Readonly<Record<string, number>>): Promise<Applied> {
    this.sendWeights(weights);
    return this.untilApplied((applied) => applied.generation === this.#table.generation);
  }

  /** As the EndpointSlice controller does. */
  setPods(variant: string, pods: readonly FakePod[]): void {
    this.#pods.set(variant, [...pods]);
    this.#news?.setEndpoints(this.#endpoints());
  }

  async applied(): Promise<Applied> {
    const answer = await fetch(`http://${HOST}:${this.#ports.agent}/applied`, { signal: AbortSignal.timeout(3_000) });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    return Applied.parse(await answer.json());
  }

  async untilApplied(condition: (applied: Applied) => boolean): Promise<Applied> {
    let last: Applied | undefined;
    await this.until(async () => {
      last = await this.applied();
      return condition(last);
    }, 'the router has applied it');
    if (last === undefined) throw new Error('unreachable');
    return last;
  }

  async isReady(port = this.#ports.agent): Promise<boolean> {
    return (await fetch(`http://${HOST}:${port}/readyz`)).status === 200;
  }

  async startHaproxy(): Promise<void> {
    const child = spawn('haproxy', ['-db', '-f', configPath(this.#settings.directory)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.output += String(chunk)));
    this.#haproxy = child;
    const up = async () => (await fetch(`http://${HOST}:${this.#ports.status}/healthz`)).status === 200;
    await this.until(up, 'HAProxy starts');
  }

  /** Resolves when the process has ended. */
  async signalHaproxy(signal: NodeJS.Signals): Promise<void> {
    const child = this.#haproxy;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  startAgent(): void {
    const { metrics, port, stopping } = {
      metrics: createMetrics(),
      port: this.#ports.agent,
      stopping: this.#stopping.signal,
    };
    this.#agents.push(serve({ ...this.#deps(), metrics, port, stopping }));
  }

  /** An agent that hears nothing from the API server, as one that restarts during an outage. Returns its port. */
  async startDeafAgent(): Promise<number> {
    const follow = async (_news: ClusterNews, signal: AbortSignal) => {
      if (!signal.aborted) await once(signal, 'abort');
    };
    const port = await freePort();
    const { metrics, stopping } = { metrics: createMetrics(), stopping: this.#stopping.signal };
    this.#agents.push(serve({ ...this.#deps(), follow, metrics, port, stopping }));
    return port;
  }

  /** SIGTERM to the agent. Resolves when it has ended. */
  async stopAgent(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#agents);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.signalHaproxy('SIGKILL');
    await Promise.all(this.#agents);
    for (const pod of [...this.#pods.values()].flat()) await pod.die();
    await rm(this.#settings.directory, { recursive: true, force: true });
  }

  async until(condition: () => boolean | Promise<boolean>, what: string, deadlineMs = 10_000): Promise<void> {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const met = await Promise.resolve()
        .then(condition)
        .catch(() => false);
      if (met) return;
      if (performance.now() > end) throw new Error(`not in ${deadlineMs} ms: ${what}\n${this.output.slice(-2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #endpoints(): Map<string, Endpoint[]> {
    return new Map([...this.#pods].map(([variant, pods]) => [variant, pods.map(({ endpoint }) => endpoint)]));
  }

  #deps() {
    return {
      settings: this.#settings,
      clock: systemClock,
      log: pino({ level: process.env['RIG_LOG'] ?? 'silent' }),
      follow: async (news: ClusterNews, signal: AbortSignal) => {
        this.#news = news;
        news.setTable(this.#table);
        news.setEndpoints(this.#endpoints());
        if (!signal.aborted) await once(signal, 'abort');
      },
    };
  }
}
