// Two hundred reloads of a real process under load: no error, no answer of two versions, and nothing of them stays in memory or on the disk.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { poll } from '../test/support/admin-port.ts';
import { startFakeS3 } from '../test/support/fake-s3.ts';
import type { FakeS3 } from '../test/support/fake-s3.ts';
import { fixture } from '../test/support/inference-rig.ts';
import { post, startLoad } from '../test/support/keep-alive-load.ts';
import type { Answer } from '../test/support/keep-alive-load.ts';
import { KEY, pinnedEnv } from '../test/support/reload-rig.ts';
import { buildServer, startServer } from '../test/support/server-process.ts';
import type { ServerProcess } from '../test/support/server-process.ts';

/** Of four reloads each. */
const ROUNDS = 50;
const BODY = '{"basket_items":{"a":{"price":12.5},"b":{"price":3,"quantity":4}},"customer_id":"c"}';
const MIB = 2 ** 20;
/**
 * What a leak would make grow, and how far it may: garbage collections come seldom. The models of the rounds in between would take 30 MiB if they were kept, as
 * external memory; what the process has of the system varies by as much without them.
 */
const GROWTH = new Map([
  ['nodejs_external_memory_bytes', 15 * MIB],
  ['nodejs_heap_size_used_bytes', 10 * MIB],
  ['process_resident_memory_bytes', 60 * MIB],
]);

let s3: FakeS3;
let dir: string;
let server: ServerProcess;
let sequence = 1;

beforeAll(async () => {
  [s3] = await Promise.all([startFakeS3(), buildServer()]);
  dir = await mkdtemp(join(tmpdir(), 'switchyard-reloads-'));
  server = await startServer({ ...(await pinnedEnv(s3, dir)), ARTIFACT_DIR: join(dir, 'artifacts') });
  await poll(async () => (await server.info()).version !== null, server.output);
}, 60_000);
afterAll(async () => {
  await server.stop('SIGKILL');
  await Promise.all([s3.close(), rm(dir, { recursive: true })]);
});

async function reload(version: object): Promise<string> {
  sequence += 1;
  const { status, error } = await server.reload({ sequence, key: KEY, ...version });
  return status ?? error?.reason ?? '';
}

/** Everything in an answer that a model decides, as one text. */
function saidBy({ version, body }: Answer): string {
  const { sensitivity, confidence, model_version } = JSON.parse(body) as Record<string, string | number>;
  return [version, model_version, sensitivity, confidence].join(' ');
}

it('loses and mixes no request, and keeps no more than the version in use and the one before', async () => {
  const [base, small, other, large] = ['basket-blue', 'basket-blue-2', 'basket-green', 'basket-medium'].map((name) =>
    s3.put('models', KEY, fixture(name)),
  );
  const bad = s3.put('models', KEY, Buffer.from('no model'));
  const right = new Set<string>();
  for (const version of [small!, other!, large!, base!]) {
    await reload(version);
    right.add(saidBy(await post(`${server.url}/predict`, {}, undefined, BODY)));
  }
  const load = startLoad(`${server.url}/predict`, {
    connections: 4,
    thinkMs: 30,
    body: BODY,
    isRight: (answer) => right.has(saidBy(answer)),
  });
  const before = s3.requests.length;

  const results: Record<string, number> = {};
  const kept: number[] = [];
  const samples: number[][] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = [small!, other!, small!, large!][round % 4]!;
    // The first is from the store, since the one before was the base and another; the rest are from memory.
    for (const version of [next, base!, ...(round % 10 === 0 ? [bad] : []), next, base!]) {
      const result = await reload(version);
      results[result] = (results[result] ?? 0) + 1;
      kept.push((await readdir(join(dir, 'artifacts'))).length);
    }
    samples.push(await server.metrics([...GROWTH.keys()]));
  }
  const { requests, failures, versions } = await load.stop();

  expect(right.size).toBe(4);
  expect(results).toEqual({ loaded: 4 * ROUNDS, ArtifactInvalid: ROUNDS / 10 });
  expect(failures).toEqual({});
  expect(Object.keys(versions).sort()).toEqual(['blue-1', 'blue-2', 'green-1', 'medium-1']);
  expect(Object.values(versions).reduce((sum, count) => sum + count, 0)).toBe(requests);
  expect(s3.requests.length - before).toBe(ROUNDS + ROUNDS / 10);
  expect(Math.max(...kept)).toBe(2);
  for (const [at, [name, bytes]] of [...GROWTH].entries()) {
    const least = (from: number, to: number) => Math.min(...samples.slice(from, to).map((sample) => sample[at] ?? NaN));
    expect(least(ROUNDS - 10, ROUNDS) - least(10, 20), name).toBeLessThan(bytes);
  }
}, 120_000);
