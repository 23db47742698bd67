// What a changed file costs: the time from the reload call until the new version answers, beside that of others in turns, and the throughput while it happens
// every second.
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../demo/claims.ts';
import { anArchive } from '../support/an-archive.ts';
import { replaceFile } from '../support/replace-file.ts';
import { featuresOf, type Bodies } from './bodies.ts';
import type { Measured, Surroundings } from './peers.ts';
import { ServerProcess } from './server-process.ts';
import type { BenchRow } from './suite.ts';
import { load, type WrkResult } from './wrk.ts';

const RELOADS = 20;
const SECONDS = 6;
const CONNECTIONS = 16;
const REST_MS = 300;

/** One of the servers, started, and its way to a changed file. */
interface Reloading {
  readonly server: Measured;
  readonly process: ServerProcess;
  /** Puts another file in its place, calls for it, and ends with the milliseconds until it answers. */
  readonly reload: () => Promise<number>;
}

/** `servers`: ours first; of the others those that can reload. */
export async function measureReloads(
  [own, ...others]: readonly [Measured, ...Measured[]],
  around: Surroundings,
  bodies: Bodies,
): Promise<BenchRow[]> {
  const running: Reloading[] = [];
  try {
    const ours = await startOwn(own, around, bodies);
    running.push(ours);
    for (const { reload, ...server } of others) {
      if (reload !== undefined) running.push(await startOther(server, reload, around, bodies));
    }
    const timed = await timeRows(running, around);
    // the throughput is ours alone
    await Promise.all(running.splice(1).map(({ process }) => process.stop()));
    return [...timed, ...(await throughputRows(ours, around))];
  } finally {
    await Promise.all(running.map(({ process }) => process.stop()));
  }
}

async function startOwn(server: Measured, around: Surroundings, bodies: Bodies): Promise<Reloading> {
  const path = join(around.dir, 'reloaded.tar.gz');
  await copyFile(around.archive, path);
  const own = { ...server, env: { ...server.env, MODEL_PATH: path } };
  const archives = [await otherVersion(around), await readFile(around.archive)];
  const process = await ServerProcess.start(own, bodies[own.bodies][0] ?? '', around.signal);
  return { server: own, process, reload: reloader(own, around, { path, archives }) };
}

async function startOther(
  server: Measured,
  { url, file }: NonNullable<Measured['reload']>,
  { signal }: Surroundings,
  bodies: Bodies,
): Promise<Reloading> {
  const model = await readFile(file);
  const process = await ServerProcess.start(server, bodies[server.bodies][0] ?? '', signal);
  const reload = async () => {
    await replaceFile(file, model);
    return timedCall(url, { body: {} }, signal);
  };
  return { server, process, reload };
}

/** In turns: neighbours in time are what is compared. */
async function timeRows(running: readonly Reloading[], { signal }: Surroundings): Promise<BenchRow[]> {
  const timed = running.map(({ server, reload }) => ({ name: server.name, reload, times: [] as number[] }));
  for (let turn = 0; turn < RELOADS; turn += 1) {
    for (const { reload, times } of timed) {
      times.push(await reload());
      await sleep(REST_MS, undefined, { signal });
    }
  }
  const own = quantile(timed[0]?.times ?? [], 0.5);
  return timed.flatMap(({ name, times }, at) => {
    const median = quantile(times, 0.5);
    const peer = at === 0 ? {} : { peer: name };
    const ratio = at === 0 ? {} : { ratio: Math.round((own / median) * 100) / 100 };
    return [
      { name: 'reload_ms', value: Math.round(median), unit: 'ms', ...peer, ...ratio },
      { name: 'reload_ms_first', value: Math.round(times[0] ?? NaN), unit: 'ms', ...peer },
      { name: 'reload_ms_max', value: Math.round(Math.max(...times)), unit: 'ms', ...peer },
    ];
  });
}

async function throughputRows({ server, reload }: Reloading, { dir, signal }: Surroundings): Promise<BenchRow[]> {
  const wrk = () =>
    load({ url: server.url, bodies: join(dir, server.bodies), connections: CONNECTIONS, seconds: SECONDS, signal });
  const undisturbed = [await wrk()];
  const disturbed = await whileReloading(reload, wrk);
  undisturbed.push(await wrk());
  const rps = ({ requests, seconds }: WrkResult) => requests / seconds;
  const share = rps(disturbed.result) / quantile(undisturbed.map(rps), 0.5);
  return [
    { name: 'throughput_while_reloading', value: Math.round(share * 1000) / 10, unit: '%' },
    { name: 'reloads_under_load', value: disturbed.reloads, unit: 'count' },
    { name: 'failed_requests_while_reloading', value: disturbed.result.failed, unit: 'count' },
  ];
}

/** The same forest under another name, so that it is read and checked anew. */
async function otherVersion({ model }: Surroundings): Promise<Buffer> {
  return anArchive([
    ['model.joblib', await readFile(model)],
    ['metadata.json', JSON.stringify({ name: 'basket-medium', version: 'medium-2', features: featuresOf() })],
  ]);
}

interface Upload {
  readonly path: string;
  readonly archives: readonly Buffer[];
}

/** Of two versions, each time the other one. */
function reloader(
  server: Measured,
  { adminToken, signal }: Surroundings,
  { path, archives }: Upload,
): Reloading['reload'] {
  const adminUrl = `http://127.0.0.1:${server.env['ADMIN_PORT'] ?? ''}/model/reload`;
  let sequence = 0;
  return async () => {
    await replaceFile(path, archives[sequence % 2] ?? Buffer.alloc(0));
    sequence += 1;
    const wanted = { sequence, key: path, wait: 30 };
    const headers = { authorization: `Bearer ${adminToken}` };
    return timedCall(adminUrl, { body: wanted, headers, expected: '"loaded"' }, signal);
  };
}

interface Call {
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a good answer has in it. */
  readonly expected?: string;
}

/** A call that is answered when the new version serves, in milliseconds. */
async function timedCall(
  url: string,
  { body, headers, expected = '' }: Call,
  signal: AbortSignal | undefined,
): Promise<number> {
  const started = performance.now();
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.any([AbortSignal.timeout(30_000), ...(signal === undefined ? [] : [signal])]),
  });
  const text = await answer.text();
  if (answer.status !== 200 || !text.includes(expected)) throw new Error(`reload: ${answer.status} ${text}`);
  return performance.now() - started;
}

async function whileReloading(reload: () => Promise<number>, wrk: () => Promise<WrkResult>) {
  const done = new AbortController();
  const running = wrk().finally(() => done.abort());
  let reloads = 0;
  while (!done.signal.aborted) {
    await reload();
    reloads += 1;
    await sleep(1000, undefined, { signal: done.signal }).catch(() => undefined);
  }
  return { result: await running, reloads };
}
