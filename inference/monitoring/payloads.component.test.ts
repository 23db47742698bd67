import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePorts } from '../../test/cluster/ports.ts';
import { grpcClient } from '../../test/support/grpc-client.ts';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';

const MODEL_PATH = fixturePath('iris-sk132');
const ROW = [5.1, 3.5, 1.4, 0.2];

interface Event {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly statuscode?: number;
  readonly data?: unknown;
}

let broker: Server;
let url: string;
const received: { readonly contentType: string | undefined; readonly event: Event }[] = [];
let reply: (response: ServerResponse) => void = (response) => response.writeHead(202).end();

beforeAll(async () => {
  broker = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ contentType: request.headers['content-type'], event: JSON.parse(body) as Event });
      reply(response);
    });
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(broker.address() as AddressInfo).port}/default/broker`;
});
afterAll(() => {
  broker.closeAllConnections();
  broker.close();
});
afterEach(() => {
  received.length = 0;
  reply = (response) => response.writeHead(202).end();
});

function start(env: Record<string, string> = {}): Promise<Rig> {
  return startInference({ MODEL_PATH, MODEL_DEPLOYMENT: 'iris', VARIANT: 'blue', PAYLOAD_LOG_SINK: url, ...env });
}

async function series(server: Rig, name: string): Promise<string[]> {
  const { text } = await server.get('/metrics');
  return text.split('\n').filter((line) => line.startsWith(name));
}

describe('payload events to an HTTP sink', () => {
  it('are sent for every API and every status, and for nothing else', async () => {
    const server = await start({
      ALLOW_PUBLIC_RELOAD: 'true',
      POD_NAMESPACE: 'ml',
      REDACT_FIELDS: 'customer_id, sepal length (cm)',
    });

    await server.post('/v1/models/iris:predict', { instances: [ROW] }, { 'ce-id': 'v1' });
    await server.post('/v2/models/iris/infer', { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP64', data: ROW }] });
    await server.post('/predict', { basket_items: 7, customer_id: 'c-7' }, { 'ce-id': 'basket' });
    await server.get('/v1/models/iris');
    await server.post('/model/reload', {});
    await server.post('/nowhere', {});
    await server.get('/health');
    await vi.waitFor(() => expect(received).toHaveLength(6));
    await server.stop();

    const events = received.map(({ event }) => event);
    expect(new Set(received.map(({ contentType }) => contentType))).toEqual(
      new Set(['application/cloudevents+json; charset=utf-8']),
    );
    expect(events.filter(({ id }) => id === 'v1')).toEqual([
      expect.objectContaining({
        type: 'org.kubeflow.serving.inference.request',
        source: '/ml/iris/blue',
        namespace: 'ml',
        data: { instances: [[null, 3.5, 1.4, 0.2]] },
      }),
      expect.objectContaining({ type: 'org.kubeflow.serving.inference.response', data: { predictions: [0] } }),
    ]);
    const [request, response] = events.filter(({ id }) => id === 'basket');
    expect(request?.data).toEqual({ basket_items: 7, customer_id: '[redacted]' });
    expect(response).toMatchObject({ subject: '/predict', statuscode: 422 });
    expect(events.map(({ subject }) => subject)).toContain('/v2/models/iris/infer');
  });

  it('are sent of gRPC as of the request over REST that says the same', async () => {
    const [port = 0] = await freePorts(1);
    const server = await start({ GRPC_PORT: String(port) });
    const client = grpcClient(server.grpcAddress);
    const tensor = { name: 'x', shape: [1, 4], datatype: 'FP64' };
    const version = ((await server.get('/health')).json as { version: string }).version;

    await server.post('/v2/models/iris/infer', { inputs: [{ ...tensor, data: ROW }] }, { 'ce-id': 'rest' });
    const infer = { modelName: 'iris', inputs: [{ ...tensor, contents: { fp64Contents: ROW } }] };
    await client.call('ModelInfer', infer, { 'ce-id': 'grpc' });
    await client.call('ModelInfer', { ...infer, modelName: 'other' }, { 'ce-id': 'refused' });
    await client.call('ModelMetadata', { name: 'iris' });
    await vi.waitFor(() => expect(received).toHaveLength(6));
    client.close();
    await server.stop();

    const pair = (name: string) =>
      received
        .filter(({ event }) => event.id === name)
        .map(({ event: { type, subject, statuscode, data } }) => ({ type, subject, statuscode, data }));
    expect(pair('grpc')).toEqual(pair('rest'));
    expect(pair('grpc')[1]).toMatchObject({ data: { model_version: version } });
    expect(pair('refused')[1]).toMatchObject({ subject: '/v2/models/other/infer', statuscode: 404 });
  });

  it('never hold up an answer: a sink that is silent costs a timeout and a count', async () => {
    reply = () => undefined;
    const server = await start({ PAYLOAD_LOG_TIMEOUT_SECONDS: '0.05' });

    const { status } = await server.post('/v1/models/iris:predict', { instances: [ROW] });
    await vi.waitFor(async () => {
      expect(await series(server, 'model_payloads_dropped_total{')).toEqual([
        'model_payloads_dropped_total{reason="timeout"} 1',
      ]);
    });
    await server.stop();

    expect(status).toBe(200);
    expect(server.logs).toContainEqual(
      expect.objectContaining({ level: 40, msg: 'payload events are dropped', detail: 'no answer in 50 ms' }),
    );
  });

  it('are not sent on where the sink redirects to', async () => {
    reply = (response) => response.writeHead(307, { location: `${url}/elsewhere` }).end();
    const server = await start();

    await server.post('/v1/models/iris:predict', { instances: [ROW] });
    await vi.waitFor(async () => {
      expect(await series(server, 'model_payloads_dropped_total{')).toEqual([
        'model_payloads_dropped_total{reason="refused"} 1',
      ]);
    });
    await server.stop();

    expect(received).toHaveLength(1);
  });

  it('are still sent when the process ends', async () => {
    const server = await start();

    await server.post('/v1/models/iris:predict', { instances: [ROW] });
    await server.stop();

    expect(received).toHaveLength(2);
  });

  it('count as sent', async () => {
    const server = await start();

    await server.post('/v1/models/iris:predict', { instances: [ROW] });

    await vi.waitFor(async () =>
      expect(await series(server, 'model_payloads_logged_total ')).toEqual(['model_payloads_logged_total 1']),
    );
    expect(await series(server, 'model_payloads_waiting ')).toEqual(['model_payloads_waiting 0']);
    await server.stop();
  });
});
