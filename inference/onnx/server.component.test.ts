// A whole server on ONNX files: what clients see, and what is left in memory when models come and go.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { aSum } from '../../test/support/an-onnx-file.ts';
import { goldenCase } from '../../test/support/estimator-fixtures.ts';
import { type Reply, type Rig, startInference } from '../../test/support/inference-rig.ts';
import { info } from '../../test/support/reload-rig.ts';
import { OnnxSessions } from './sessions.ts';

const golden = goldenCase('onnx-RandomForestClassifier/1.18.0');
const WORKER = new URL('./worker.ts', import.meta.url);
/** Four MiB of weights: thirty of them that are not let go of would be seen. */
const PADDING = 2 ** 18;

let dir: string;
let path: string;
let server: Rig;
let sessions: OnnxSessions;
let worker: Worker | undefined;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'switchyard-onnx-'));
  path = join(dir, 'model.tar.gz');
});
afterAll(() => rm(dir, { recursive: true }));

async function write(model: Uint8Array, metadata: object): Promise<void> {
  await writeFile(
    path,
    await anArchive([
      ['model.onnx', model],
      ['metadata.json', JSON.stringify(metadata)],
    ]),
  );
}

async function start(file: string, inWorker = false): Promise<void> {
  sessions = new OnnxSessions(() => (worker = new Worker(WORKER)));
  server = await startInference({ MODEL_PATH: file, MODEL_DEPLOYMENT: 'iris' }, { onnx: sessions, inWorker });
}

function reload(sequence: number, key: string, keep: readonly string[] = []): Promise<Reply> {
  return server.admin('POST', '/model/reload', { sequence, key, revision: `r${sequence}`, keep });
}

afterEach(() => server.stop());

describe('a server on an ONNX file', () => {
  beforeEach(async () => {
    const outputs = golden.predict_proba?.slice(0, 3);
    const rows = { inputs: golden.inputs.slice(0, 3), outputs, tolerance: 1e-5 };
    await write(golden.bytes, { version: 'v1', features: ['a', 'b', 'c', 'd'], golden: rows });
    await start(path, true);
  });

  it('answers V1', async () => {
    const { status, json } = await server.post('/v1/models/iris:predict', { instances: golden.inputs });

    expect({ status, json }).toEqual({ status: 200, json: { predictions: golden.predict } });
  });

  it('answers V2 with labels and probabilities', async () => {
    const data = golden.inputs.flat();
    const inputs = [{ name: 'input', shape: [golden.inputs.length, 4], datatype: 'FP64', data }];
    const outputs = [{ name: 'predict' }, { name: 'predict_proba' }];

    const { json } = await server.post('/v2/models/iris/infer', { inputs, outputs });

    expect(json).toMatchObject({
      outputs: [{ datatype: 'BYTES', data: golden.predict }, { shape: [golden.inputs.length, 3] }],
    });
  });

  it('names its runtime to clients of V2', async () => {
    expect((await server.get('/v2/models/iris')).json).toMatchObject({ platform: 'onnxruntime_onnx' });
  });

  it('answers many rows as it answers few', async () => {
    const instances = Array.from({ length: 100 }, () => golden.inputs).flat();

    const { json } = await server.post('/v1/models/iris:predict', { instances });

    expect(json).toEqual({ predictions: Array.from({ length: 100 }, () => golden.predict).flat() });
  });

  it('tells of its sessions', async () => {
    expect((await server.get('/metrics')).text).toMatch(/^onnx_sessions 1$/m);
  });

  it('keeps the old model, and no session of the new one, when the golden answers are others', async () => {
    const rows = { inputs: golden.inputs.slice(0, 1), outputs: [[0, 0, 1]] };
    await write(golden.bytes, { version: 'v2', features: ['a', 'b', 'c', 'd'], golden: rows });

    const { status, json } = await reload(2, path);

    expect({ status, json }).toMatchObject({ status: 422, json: { error: { reason: 'GoldenMismatch' } } });
    expect(sessions.count).toBe(1);
    expect((await info(server)).version).toBe('v1');
  });

  it('keeps no session of a model that cannot take the place of the old one', async () => {
    await write(aSum(4, 1), { version: 'v2', features: ['a', 'b', 'c', 'd'] });

    expect((await reload(2, path)).json).toMatchObject({ error: { reason: 'SchemaIncompatible' } });
    expect(sessions.count).toBe(1);
  });

  it('loads its model again when the worker ends', async () => {
    await worker?.terminate();
    await vi.waitFor(async () => expect((await server.get('/ready')).status).toBe(200), 15_000);

    const { json } = await server.post('/v1/models/iris:predict', { instances: golden.inputs });

    expect(json).toEqual({ predictions: golden.predict });
    expect(sessions.count).toBe(1);
  });

  it('loads it again, too, when the worker ends while another version is loaded, and still tells why that was not', async () => {
    await write(golden.bytes, { version: 'v2', features: ['a', 'b', 'c', 'd'] });
    if (worker === undefined) throw new TypeError('a model has been loaded');
    const ended = worker;
    const held = vi.spyOn(ended, 'postMessage').mockImplementation(() => undefined);
    const loading = reload(2, path);
    await vi.waitFor(() => expect(held).toHaveBeenCalled(), 10_000);

    await ended.terminate();

    expect((await loading).status).toBe(500);
    await vi.waitFor(async () => expect((await server.get('/ready')).status).toBe(200), 15_000);
    expect(await info(server)).toMatchObject({ version: 'v1', sequence: 2, failure: { sequence: 2 } });
    const { json } = await server.post('/v1/models/iris:predict', { instances: golden.inputs });
    expect(json).toEqual({ predictions: golden.predict });
  }, 30_000);
});

describe('thirty reloads', () => {
  it('leave one session for each model that is in use or held', async () => {
    const [one, two] = [aSum(4, 1, PADDING), aSum(4, 2, PADDING)];
    const bare = join(dir, 'model.onnx');
    await writeFile(bare, two);
    await start(bare, true);
    const counts: number[] = [];
    const rss: number[] = [];
    for (let sequence = 2; sequence <= 31; sequence += 1) {
      await writeFile(bare, sequence % 2 === 0 ? one : two);
      const asked = server.post('/v1/models/iris:predict', { instances: [[1, 1, 1, 1]] });
      expect((await reload(sequence, bare, [`r${sequence - 2}`])).status).toBe(200);
      expect((await asked).status).toBe(200);
      const { json } = await server.post('/v1/models/iris:predict', { instances: [[1, 1, 1, 1]] });
      expect(json).toEqual({ predictions: [sequence % 2 === 0 ? 4 : 8] });
      counts.push(sessions.count);
      rss.push(process.memoryUsage.rss());
    }

    // in use, and the previous one, which is also what `keep` names
    expect([...new Set(counts)]).toEqual([2]);
    // Garbage of the readers is collected now and then, so memory settles first. A session of this model takes five times its file: eighteen that stay
    // would be ninety files.
    expect((rss.at(-1) ?? 0) - (rss[11] ?? 0)).toBeLessThan(45 * one.length);
  }, 60_000);
});
