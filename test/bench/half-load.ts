// Latency while the server has as much to do as it should have in production: half of what it can do, by clients that pause between their requests.
import { join } from 'node:path';
import { quantile } from '../demo/claims.ts';
import type { Bodies } from './bodies.ts';
import type { Measured, Surroundings } from './peers.ts';
import { ServerProcess } from './server-process.ts';
import type { BenchRow } from './suite.ts';
import { load } from './wrk.ts';
import type { WrkResult } from './wrk.ts';

const TURNS = 5;
const SECONDS = 4;
const WARM_UP_SECONDS = 2;
/** So many that pauses, which are whole milliseconds, are long beside an answer. */
const CONNECTIONS = 64;

/** @param rate requests a second, all connections together. Throws when a request failed. */
export async function halfLoad(
  server: Measured,
  { dir, signal }: Surroundings,
  bodies: Bodies,
  rate: number,
): Promise<BenchRow[]> {
  const process = await ServerProcess.start(server, bodies[server.bodies][0] ?? '', signal);
  const pauseMs = (CONNECTIONS / rate) * 1000;
  const paced = (seconds: number) =>
    load({ url: server.url, bodies: join(dir, server.bodies), connections: CONNECTIONS, seconds, pauseMs, signal });
  try {
    await paced(WARM_UP_SECONDS);
    const turns: WrkResult[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) turns.push(await paced(SECONDS));
    const failed = turns.reduce((sum, turn) => sum + turn.failed, 0);
    if (failed > 0) throw new Error(`${failed} requests failed at half load`);
    const median = (of: (turn: WrkResult) => number) => quantile(turns.map(of), 0.5);
    return [
      { name: 'half_load_rps', value: Math.round(median(({ requests, seconds }) => requests / seconds)), unit: '1/s' },
      { name: 'p50_half_load_ms', value: rounded(median(({ p50 }) => p50)), unit: 'ms' },
      { name: 'p99_half_load_ms', value: rounded(median(({ p99 }) => p99)), unit: 'ms' },
    ];
  } finally {
    await process.stop();
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
