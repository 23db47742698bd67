// What a changed file costs: the time from the reload call to the first answer of the new version, and the throughput while it happens every second.
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../demo/claims.ts';
import { anArchive } from '../support/an-archive.ts';
import { featuresOf, type Bodies } from './bodies.ts';
import type { Measured, Surroundings } from './peers.ts';
import { ServerProcess } from './server-process.ts';
import type { BenchRow } from './suite.ts';
import { load, type WrkResult } from './wrk.ts';

const RELOADS = 10;
const SECONDS = 6;
const CONNECTIONS = 16;
const REST_MS = 300;

export async function measureReloads(server: Measured, around: Surroundings, bodies: Bodies): Promise<BenchRow[]> {
  const path = join(around.dir, 'reloaded.tar.gz');
  await copyFile(around.archive, path);
  const own = { ...server, env: { ...server.env, MODEL_PATH: path } };
  const process = await ServerProcess.start(own, bodies.baskets[0] ?? '', around.signal);
  const reload = reloader(own, around, {
    path,
    archives: [await otherVersion(around), await readFile(around.archive)],
  });
  const wrk = () =>
    load({
      url: own.url,
      bodies: join(around.dir, 'baskets'),
      connections: CONNECTIONS,
      seconds: SECONDS,
      signal: around.signal,
    });
  try {
    const times: number[] = [];
    for (let turn = 0; turn < RELOADS; turn += 1) {
      times.push(await reload());
      await sleep(REST_MS, undefined, { signal: around.signal });
    }
    const undisturbed = [await wrk()];
    const disturbed = await whileReloading(reload, wrk);
    undisturbed.push(await wrk());
    const rps = ({ requests, seconds }: WrkResult) => requests / seconds;
    const share = rps(disturbed.result) / quantile(undisturbed.map(rps), 0.5);
    return [
      { name: 'reload_ms', value: Math.round(quantile(times, 0.5)), unit: 'ms' },
      { name: 'reload_ms_max', value: Math.round(Math.max(...times)), unit: 'ms' },
      { name: 'throughput_while_reloading', value: Math.round(share * 1000) / 10, unit: '%' },
      { name: 'reloads_under_load', value: disturbed.reloads, unit: 'count' },
      { name: 'failed_requests_while_reloading', value: disturbed.result.failed, unit: 'count' },
    ];
  } finally {
    await process.stop();
  }
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

/** A function that puts the other of two versions in the file, calls for a reload, and ends with the milliseconds until the new one answered. */
function reloader(
  server: Measured,
  { adminToken, signal }: Surroundings,
  { path, archives }: Upload,
): () => Promise<number> {
  const adminUrl = `http://127.0.0.1:${server.env['ADMIN_PORT'] ?? ''}/model/reload`;
  let sequence = 0;
  return async () => {
    await writeFile(`${path}.new`, archives[sequence % 2] ?? '');
    await rename(`${path}.new`, path);
    sequence += 1;
    const started = performance.now();
    const answer = await fetch(adminUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sequence, key: path, wait: 30 }),
      signal: AbortSignal.any([AbortSignal.timeout(30_000), ...(signal === undefined ? [] : [signal])]),
    });
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes('"loaded"')) throw new Error(`reload: ${answer.status} ${text}`);
    return performance.now() - started;
  };
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
