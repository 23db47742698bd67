// Latency while the server has as much to do as it should have in production: half of what it can do, at a steady rate.
import autocannon from 'autocannon';
import { quantile } from '../demo/claims.ts';
import type { Bodies } from './bodies.ts';
import type { Measured, Surroundings } from './peers.ts';
import { ServerProcess } from './server-process.ts';
import type { BenchRow } from './suite.ts';

const SECONDS = 10;
const CONNECTIONS = 16;

/** @param rate requests a second, all connections together */
export async function halfLoad(
  server: Measured,
  { signal }: Surroundings,
  bodies: Bodies,
  rate: number,
): Promise<BenchRow[]> {
  const process = await ServerProcess.start(server, bodies[server.bodies][0] ?? '', signal);
  try {
    await paced(server, bodies, rate, 2);
    const times = await paced(server, bodies, rate, SECONDS);
    return [
      { name: 'half_load_rps', value: Math.round(times.length / SECONDS), unit: '1/s' },
      { name: 'p50_half_load_ms', value: rounded(quantile(times, 0.5)), unit: 'ms' },
      { name: 'p99_half_load_ms', value: rounded(quantile(times, 0.99)), unit: 'ms' },
    ];
  } finally {
    await process.stop();
  }
}

/** Response times in milliseconds. Throws when a request failed. */
async function paced(server: Measured, bodies: Bodies, rate: number, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const options = {
    url: server.url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    requests: bodies[server.bodies].map((body) => ({ body })),
    connections: CONNECTIONS,
    overallRate: Math.floor(rate),
    duration: seconds,
  } as const;
  const running = autocannon(options, (error: Error | null, result) =>
    error === null ? resolve(result) : reject(error),
  );
  running.on('response', (_client, _status, _bytes, time) => times.push(time));
  const { non2xx, errors, timeouts } = await promise;
  if (non2xx + errors + timeouts > 0) throw new Error(`${non2xx + errors + timeouts} requests failed at half load`);
  return times;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
