// What watching the model costs: the model server with drift beside itself without, both at the same time on the same core with the same requests, so that
// whatever slows the machine down slows down both.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildReference } from '../../../cli/build-reference.ts';
import { typedCell } from '../../../cli/cell.ts';
import { projectRoot } from '../../cluster/config.ts';
import { freePorts } from '../../cluster/ports.ts';
import { quantile } from '../../demo/claims.ts';
import { asStep } from '../../progress.ts';
import { anArchive } from '../../support/an-archive.ts';
import { archived } from '../../support/model-fixtures.ts';
import { FOREST, featuresOf, requestBodies } from '../bodies.ts';
import { ServerProcess } from '../server-process.ts';
import type { BenchResult, LocalContext } from '../suite.ts';
import { ensureWrk, load } from '../wrk.ts';

const PAIRS = 12;
const SECONDS = 4;
const CONNECTIONS = 16;

/** Requests a second, and requests a second of processor time, which a busy machine disturbs less. */
interface Figures {
  readonly rps: number;
  readonly perCpuSecond: number;
}

interface Pair {
  readonly on: Figures;
  readonly off: Figures;
}

export async function runMonitoring({ onProgress, signal }: LocalContext): Promise<BenchResult> {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  const servers: ServerProcess[] = [];
  try {
    await ensureWrk(signal);
    const { baskets } = requestBodies();
    const [model, bodies] = [join(dir, 'model.tar.gz'), join(dir, 'baskets')];
    await writeFile(model, await watchedModel());
    await writeFile(bodies, `${baskets.join('\n')}\n`);
    for (const [at, window] of ['3600', '0'].entries()) {
      servers.push(await start(model, { DRIFT_WINDOW_SECONDS: window, ARTIFACT_DIR: join(dir, String(at)) }, signal));
    }
    const [on, off] = servers;
    if (on === undefined || off === undefined) throw new Error('no servers');
    const measure = (server: ServerProcess) => figuresOf(server, bodies, signal);
    await Promise.all([measure(on), measure(off)]);
    const pairs: Pair[] = [];
    for (let at = 1; at <= PAIRS; at += 1) {
      await asStep(onProgress, { step: `Pair ${at} of ${PAIRS}`, expectedSeconds: SECONDS + 1 }, async () => {
        const [withDrift, without] = await Promise.all([measure(on), measure(off)]);
        pairs.push({ on: withDrift, off: without });
      });
    }
    return resultOf(pairs);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(dir, { recursive: true, force: true });
  }
}

/** The forest with a reference of the very rows that it is going to be asked. */
async function watchedModel(): Promise<Buffer> {
  const features = featuresOf();
  const rows = requestBodies().rows.map((body) => (JSON.parse(body) as { rows: [number[]] }).rows[0]);
  const columns = features.map((_, column) => rows.map((row) => row[column] ?? 0));
  const table = {
    columns: features,
    read: typedCell,
    async *chunks() {
      for (const [column, cells] of columns.entries()) yield await Promise.resolve({ column, from: 0, cells });
    },
  };
  const metadata: object = JSON.parse(Buffer.from(archived(FOREST, 'metadata.json')).toString()) as object;
  const reference = {
    ...(await buildReference(table, { features, bins: 10 })),
    prediction: { categories: [0, 1, 2], counts: [1, 1, 1] },
  };
  return anArchive([
    ['model.joblib', archived(FOREST, 'model.joblib')],
    ['metadata.json', JSON.stringify({ ...metadata, reference })],
  ]);
}

async function start(model: string, env: Record<string, string>, signal: AbortSignal): Promise<ServerProcess> {
  const [port = 0] = await freePorts(1);
  const command = {
    name: 'switchyard',
    command: [process.execPath, join(projectRoot, 'inference/main.ts')] as const,
    env: { HOST: '127.0.0.1', PORT: String(port), GRPC_PORT: '0', DRAIN_SECONDS: '0', MODEL_PATH: model, ...env },
    url: `http://127.0.0.1:${port}/predict`,
  };
  return ServerProcess.start(command, '{"basket_items":{}}', signal);
}

async function figuresOf(server: ServerProcess, bodies: string, signal: AbortSignal): Promise<Figures> {
  const before = await server.cpuSeconds();
  const result = await load({ url: server.url, bodies, connections: CONNECTIONS, seconds: SECONDS, signal });
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
  const spent = (await server.cpuSeconds()) - before;
  return { rps: result.requests / result.seconds, perCpuSecond: result.requests / spent };
}

function resultOf(pairs: readonly Pair[]): BenchResult {
  const median = (of: (pair: Pair) => number) => quantile(pairs.map(of), 0.5);
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  const ratios = pairs.map(({ on, off }) => on.perCpuSecond / off.perCpuSecond);
  const [low, high] = [rounded(quantile(ratios, 0.25)), rounded(quantile(ratios, 0.75))];
  return {
    rows: [
      { name: 'rps_with_drift', value: Math.round(median(({ on }) => on.rps)), unit: '1/s' },
      { name: 'rps_without', value: Math.round(median(({ off }) => off.rps)), unit: '1/s' },
      { name: 'ratio_rps', value: rounded(median(({ on, off }) => on.rps / off.rps)), unit: '' },
      { name: 'ratio_requests_per_cpu_second', value: rounded(quantile(ratios, 0.5)), unit: '' },
    ],
    notes: [
      `/predict with baskets, 12 features, c=${CONNECTIONS}; medians of ${PAIRS} pairs of ${SECONDS} s, both servers at the same time on core 0.`,
      `Half of the pairs had a ratio of requests a CPU second between ${low} and ${high}.`,
    ],
  };
}
