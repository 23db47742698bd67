// What is not HTTP alone, or not of one thread alone, with two serving threads.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePorts } from '../../test/cluster/ports.ts';
import { goldenCase } from '../../test/support/estimator-fixtures.ts';
import { grpcClient } from '../../test/support/grpc-client.ts';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { NEW_CONNECTION, TWO_THREADS, byBoth } from '../../test/support/two-threads.ts';

// A thread reads all of the sources.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const BASKET = { basket_items: { a: { price: 12.5 } } };

describe('over gRPC', () => {
  it('both threads answer', async () => {
    const [port = 0] = await freePorts(1);
    const server = await startInference({
      MODEL_PATH: fixturePath('basket-blue'),
      MODEL_DEPLOYMENT: 'retail',
      GRPC_PORT: String(port),
      ...TWO_THREADS,
    });
    const contents = { fp64Contents: Array.from({ length: 12 }, () => 1) };
    const request = { modelName: 'retail', inputs: [{ name: 'x', datatype: 'FP64', shape: [1, 12], contents }] };

    const threads = new Set<string>();
    while (threads.size < 2) {
      const client = grpcClient(server.grpcAddress);
      const { code, headers } = await client.call('ModelInfer', request);
      client.close();
      expect(code).toBe(0);
      threads.add(String(headers['x-request-id']).slice(0, 13));
    }
    await server.stop();
  });
});

describe('copies of requests', () => {
  let sink: Server;
  let events = 0;
  let peer: Rig;
  let server: Rig;

  beforeAll(async () => {
    sink = createServer((request, response) => {
      events += 1;
      request.resume().on('end', () => response.end());
    }).listen(0, '127.0.0.1');
    peer = await startInference({ MODEL_PATH: fixturePath('basket-green'), MODEL_DEPLOYMENT: 'retail' });
    const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
    const copies = { PAYLOAD_LOG_SINK: url, SHADOW_PEERS: `candidate=${peer.url}` };
    server = await startInference({ MODEL_PATH: fixturePath('basket-blue'), ...copies, ...TWO_THREADS });
  });
  afterAll(async () => {
    await Promise.all([server.stop(), peer.stop()]);
    sink.close();
  });

  it('are counted as one, and both threads tell the same of them', async () => {
    let sent = 0;
    await byBoth(() => {
      sent += 1;
      return server.post('/predict', BASKET, NEW_CONNECTION);
    });

    await vi.waitFor(async () => {
      const views = await byBoth(() => server.get('/model/shadow', NEW_CONNECTION));
      expect(views[0]?.json).toEqual(views[1]?.json);
      expect(views[0]?.json).toMatchObject({ peers: [{ versions: [{ version: 'blue-1', rows: sent }] }] });
      const { text } = await server.get('/metrics', NEW_CONNECTION);
      expect(text).toContain(`model_payloads_logged_total ${sent}`);
    });
    expect(events).toBe(2 * sent);
  });
});

describe('an ONNX model', () => {
  it('is in memory once, and both threads answer by it, after a reload too', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'switchyard-threads-'));
    const path = join(dir, 'model.onnx');
    const golden = goldenCase('onnx-RandomForestClassifier/1.18.0');
    await writeFile(path, golden.bytes);
    const server = await startInference({ MODEL_PATH: path, MODEL_DEPLOYMENT: 'iris', ...TWO_THREADS });
    const ask = () => server.post('/v1/models/iris:predict', { instances: golden.inputs }, NEW_CONNECTION);

    const before = await byBoth(ask);
    await writeFile(path, golden.bytes);
    const reloaded = await server.admin('POST', '/model/reload', { sequence: 1, key: path });
    const after = await byBoth(ask);
    await server.admin('POST', '/model/reload', { sequence: 2, key: path });

    expect(reloaded.status).toBe(200);
    for (const { status, json } of [...before, ...after]) {
      expect({ status, json }).toEqual({ status: 200, json: { predictions: golden.predict } });
    }
    const { text } = await server.get('/metrics');
    expect(text).toMatch(/^onnx_sessions [12]$/m); // in use, and held for a rollback
    await server.stop();
    await rm(dir, { recursive: true });
  });
});
