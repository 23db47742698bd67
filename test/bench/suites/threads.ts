// What a second core brings: the same server with one and with two serving threads in turns, so that both have the same neighbours.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cluster/command.ts';
import { projectRoot } from '../../cluster/config.ts';
import { freePorts } from '../../cluster/ports.ts';
import { quantile } from '../../demo/claims.ts';
import { asStep } from '../../progress.ts';
import { fixturePath } from '../../support/inference-rig.ts';
import { FOREST, requestBodies } from '../bodies.ts';
import { ServerProcess } from '../server-process.ts';
import type { BenchResult, LocalContext } from '../suite.ts';
import { ensureWrk, load } from '../wrk.ts';

const THREADS = [1, 2];
const TURNS = 10;
const SECONDS = 2;
const CONNECTIONS = 16;
const CORES = availableParallelism();
/** On a small machine the load takes part of the servers' cores. */
const [SERVER_CORES, LOAD_CORES] = CORES < 4 ? [`0-${CORES - 1}`, `0-${CORES - 1}`] : ['0-1', `2-${CORES - 1}`];

interface Turn {
  readonly rps: number;
  readonly cpuMicros: number;
}

export async function runThreads({ onProgress, signal }: LocalContext): Promise<BenchResult> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  const servers: ServerProcess[] = [];
  try {
    await ensureWrk(signal);
    await run(process.execPath, [join(projectRoot, 'build.js')], { signal });
    const bodies = join(dir, 'baskets');
    await writeFile(bodies, `${requestBodies().baskets.join('\n')}\n`);
    for (const threads of THREADS) servers.push(await start(threads, join(dir, String(threads)), signal));
    const idle = await Promise.all(servers.map((server) => server.residentMib()));
    const turns = servers.map((): Turn[] => []);
    for (let at = 0; at <= TURNS; at += 1) {
      const step = { step: `Turn ${at} of ${TURNS}`, expectedSeconds: THREADS.length * SECONDS };
      await asStep(onProgress, step, async () => {
        for (const [which, server] of servers.entries()) {
          const turn = await measure(server, bodies, signal);
          if (at > 0) turns[which]?.push(turn); // the first one warms up
        }
      });
    }
    return resultOf(servers, idle, turns);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(dir, { recursive: true, force: true });
  }
}

async function start(threads: number, dir: string, signal: AbortSignal): Promise<ServerProcess> {
  const [port = 0] = await freePorts(1);
  const env = { HOST: '127.0.0.1', PORT: String(port), GRPC_PORT: '0', DRAIN_SECONDS: '0', ARTIFACT_DIR: dir };
  const command = {
    name: `switchyard with ${threads} threads`,
    command: [process.execPath, join(projectRoot, 'dist/inference/main.js')] as const,
    env: { ...env, SERVING_THREADS: String(threads), MODEL_PATH: fixturePath(FOREST) },
    url: `http://127.0.0.1:${port}/predict`,
    cores: SERVER_CORES,
  };
  return ServerProcess.start(command, '{"basket_items":{}}', signal);
}

async function measure(server: ServerProcess, bodies: string, signal: AbortSignal): Promise<Turn> {
  const before = await server.cpuSeconds();
  const order = { url: server.url, bodies, connections: CONNECTIONS, seconds: SECONDS, cores: LOAD_CORES };
  const { requests, seconds, failed } = await load({ ...order, signal });
  if (failed > 0) throw new Error(`${failed} requests failed`);
  return { rps: requests / seconds, cpuMicros: (((await server.cpuSeconds()) - before) / requests) * 1e6 };
}

function resultOf(servers: readonly ServerProcess[], idle: readonly number[], turns: readonly Turn[][]): BenchResult {
  const median = (at: number, of: (turn: Turn) => number) => quantile((turns[at] ?? []).map(of), 0.5);
  const rounded = (value: number) => Math.round(value * 10) / 10;
  const rows = THREADS.flatMap((threads, at) => [
    { name: `rps_${threads}`, value: Math.round(median(at, ({ rps }) => rps)), unit: '1/s' },
    { name: `cpu_per_request_${threads}`, value: rounded(median(at, ({ cpuMicros }) => cpuMicros)), unit: 'µs' },
    { name: `idle_rss_${threads}`, value: idle[at] ?? 0, unit: 'MiB' },
    { name: `start_ms_${threads}`, value: Math.round(servers[at]?.startMs ?? 0), unit: 'ms' },
  ]);
  const cores = `the server on cores ${SERVER_CORES}, the load on ${LOAD_CORES}`;
  return {
    rows,
    notes: [`/predict with baskets, c=${CONNECTIONS}, ${cores}; medians of ${TURNS} turns of ${SECONDS} s.`],
  };
}
