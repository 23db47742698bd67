// The model server beside what Python teams run: the same forest, the same 500 varied requests, one core for the server and one for the load, all in one
// run, in turns, so that what disturbs the machine disturbs all alike.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asStep } from '../../progress.ts';
import { fixturePath } from '../../support/inference-rig.ts';
import { archived } from '../../support/model-fixtures.ts';
import { run } from '../../cluster/command.ts';
import { projectRoot } from '../../cluster/config.ts';
import { quantile } from '../../demo/claims.ts';
import { FOREST, requestBodies, type Bodies } from '../bodies.ts';
import { halfLoad } from '../half-load.ts';
import { imageMib } from '../image-size.ts';
import { peers, type Measured, type Surroundings } from '../peers.ts';
import { measureReloads } from '../reloads.ts';
import { ServerProcess } from '../server-process.ts';
import type { BenchResult, BenchRow, LocalContext } from '../suite.ts';
import { ensureWrk, load, type WrkResult } from '../wrk.ts';

const CONNECTIONS = [1, 16, 64];
const ROUNDS = 5;
const SECONDS = 2;
const WARM_UP_SECONDS = 3;

interface Run {
  readonly server: Measured;
  readonly round: number;
  readonly connections: number;
  readonly result: WrkResult;
}

interface Started {
  readonly server: Measured;
  readonly startMs: number;
  readonly idleMib: number;
}

export async function runInference({ onProgress, signal }: LocalContext): Promise<BenchResult> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  try {
    await ensureWrk(signal);
    await run(process.execPath, [join(projectRoot, 'build.js')], { signal });
    const around: Surroundings = {
      dir,
      archive: fixturePath(FOREST),
      model: join(dir, 'model.joblib'),
      adminToken: randomBytes(24).toString('hex'),
      onProgress,
      signal,
    };
    await writeFile(around.model, archived(FOREST, 'model.joblib'));
    const bodies = requestBodies();
    for (const [kind, lines] of Object.entries(bodies) as [string, readonly string[]][])
      await writeFile(join(dir, kind), `${lines.join('\n')}\n`);
    return await measure(around, bodies);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(around: Surroundings, bodies: Bodies): Promise<BenchResult> {
  const { onProgress } = around;
  const servers = await peers(around);
  const [own] = servers;
  if (own === undefined) throw new Error('no server to measure');
  const { started, runs } = await inTurns(servers, around, bodies);
  const capacity = medianRps(runs, own, 16);
  const half = await asStep(onProgress, { step: 'Half of the maximum load', expectedSeconds: 15 }, async () =>
    halfLoad(own, around, bodies, capacity / 2),
  );
  const reloads = await asStep(onProgress, { step: 'Reloads', expectedSeconds: 40 }, async () =>
    measureReloads([own, ...servers.slice(1)], around, bodies),
  );
  const image = await imageMib(onProgress, around.signal);
  return {
    rows: [
      ...ratioRows(servers, runs),
      ...[...half, ...reloads, ...image],
      ...started.flatMap(({ server, startMs, idleMib }) => [
        row(server, 'start_to_first_prediction_ms', Math.round(startMs), 'ms'),
        row(server, 'rss_idle_mib', idleMib, 'MiB'),
      ]),
      ...servers.flatMap((server) => CONNECTIONS.flatMap((connections) => loadRows(server, connections, runs))),
    ],
    notes: [
      `Forest of 100 trees, depth 10, 12 features; 500 varied requests; server on core 0, wrk on core 1, keep-alive; medians of ${ROUNDS} rounds of ${SECONDS} s each.`,
      'All servers are started and warmed up one after the other, and asked in turns; a ratio is the median of those of the rounds. rss_idle_mib: after the first answer.',
      'No request failed: a run ends with the first that does.',
    ],
  };
}

/** In each round each server has its turn at each number of connections: neighbours in time are what is compared. */
async function inTurns(
  servers: readonly Measured[],
  around: Surroundings,
  bodies: Bodies,
): Promise<{ readonly started: readonly Started[]; readonly runs: readonly Run[] }> {
  const { dir, onProgress, signal } = around;
  const [started, runs, processes]: [Started[], Run[], ServerProcess[]] = [[], [], []];
  const one = (server: Measured, connections: number, seconds: number) =>
    load({ url: server.url, bodies: join(dir, server.bodies), connections, seconds, signal });
  try {
    for (const server of servers) {
      await asStep(onProgress, { step: `${server.name} starts`, expectedSeconds: 8 }, async () => {
        const process = await ServerProcess.start(server, bodies[server.bodies][0] ?? '', signal);
        processes.push(process);
        started.push({ server, startMs: process.startMs, idleMib: await process.residentMib() });
        await one(server, 16, WARM_UP_SECONDS);
      });
    }
    for (let round = 1; round <= ROUNDS; round += 1) {
      const expectedSeconds = servers.length * CONNECTIONS.length * (SECONDS + 0.3);
      await asStep(onProgress, { step: `Round ${round} of ${ROUNDS}`, expectedSeconds }, async () => {
        for (const connections of CONNECTIONS) {
          for (const server of servers) {
            const result = await one(server, connections, SECONDS);
            if (result.failed > 0) throw new Error(`${server.name}: ${result.failed} requests failed`);
            runs.push({ server, round, connections, result });
          }
        }
      });
    }
    return { started, runs };
  } finally {
    await Promise.all(processes.map((process) => process.stop()));
  }
}

function resultsOf(runs: readonly Run[], server: Measured, connections: number): readonly WrkResult[] {
  return runs.filter((one) => one.server === server && one.connections === connections).map(({ result }) => result);
}

function medianRps(runs: readonly Run[], server: Measured, connections: number): number {
  const rates = resultsOf(runs, server, connections).map(({ requests, seconds }) => requests / seconds);
  return quantile(rates, 0.5);
}

/** Our /predict to the others, at 16 connections. */
function ratioRows(servers: readonly Measured[], runs: readonly Run[]): BenchRow[] {
  const [own] = servers;
  if (own === undefined) return [];
  const rate = (server: Measured, round: number) =>
    medianRps(
      runs.filter((one) => one.round === round),
      server,
      16,
    );
  const to = (name: string, peer: Measured | undefined): BenchRow[] => {
    if (peer === undefined) return [];
    const ratios = Array.from({ length: ROUNDS }, (_, at) => rate(own, at + 1) / rate(peer, at + 1));
    const ratio = Math.round(quantile(ratios, 0.5) * 100) / 100;
    return [{ name, value: ratio, unit: 'ratio', peer: peer.name, ratio }];
  };
  const python = servers.filter(({ kind }) => kind === 'python');
  const fastest = python.toSorted((a, b) => medianRps(runs, b, 16) - medianRps(runs, a, 16))[0];
  return [
    ...to(
      'ratio_to_fastapi_sklearn_c16',
      servers.find(({ name }) => name === 'FastAPI + scikit-learn'),
    ),
    ...to('ratio_to_fastest_python_c16', fastest),
    ...to(
      'ratio_to_bare_http_c16',
      servers.find(({ kind }) => kind === 'bare'),
    ),
  ];
}

function loadRows(server: Measured, connections: number, runs: readonly Run[]): BenchRow[] {
  const results = resultsOf(runs, server, connections);
  const median = (of: (result: WrkResult) => number) => Math.round(quantile(results.map(of), 0.5) * 100) / 100;
  return [
    row(server, `rps_c${connections}`, Math.round(medianRps(runs, server, connections)), '1/s'),
    row(
      server,
      `p50_ms_c${connections}`,
      median(({ p50 }) => p50),
      'ms',
    ),
    row(
      server,
      `p99_ms_c${connections}`,
      median(({ p99 }) => p99),
      'ms',
    ),
  ];
}

/** Figures of others carry their name as peer; ours are named by what they are. */
function row({ name: server }: Measured, name: string, value: number, unit: string): BenchRow {
  if (server === 'switchyard /predict') return { name, value, unit };
  return { name, value, unit, peer: server };
}
