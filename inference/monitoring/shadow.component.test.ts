import { afterEach, describe, expect, it, vi } from 'vitest';
import { freePorts } from '../../test/cluster/ports.ts';
import { grpcClient } from '../../test/support/grpc-client.ts';
import { fixturePath, startInference } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import type { shadowView } from './shadow-view.ts';

const BASKET = { basket_items: { a: { price: 12.5, quantity: 2, category: 'produce' } } };

const servers: Rig[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(fixture: string, env: Record<string, string> = {}): Promise<Rig> {
  const server = await startInference({ MODEL_PATH: fixturePath(fixture), MODEL_DEPLOYMENT: 'retail', ...env });
  servers.push(server);
  return server;
}

async function shadowOf(server: Rig): Promise<ReturnType<typeof shadowView>> {
  return (await server.get('/model/shadow')).json as ReturnType<typeof shadowView>;
}

async function metricsOf(server: Rig, name: string): Promise<string[]> {
  const { text } = await server.get('/metrics');
  return text.split('\n').filter((line) => line.startsWith(name));
}

describe('a server with a shadow', () => {
  it('copies requests of every API, compares the answers, and tells where they differ', async () => {
    const candidate = await start('basket-green', { VARIANT: 'candidate' });
    const champion = await start('basket-blue', { SHADOW_PEERS: `candidate=${candidate.url}`, VARIANT: 'champion' });
    const row = Array.from({ length: 12 }, (_, at) => at);
    const table = { inputs: [{ name: 'x', shape: [1, 12], datatype: 'FP64', data: row }] };

    const answers = [
      await champion.post('/predict', BASKET, { 'x-request-id': 'basket' }),
      await champion.post('/v1/models/retail:predict', { instances: [row, row] }),
      await champion.post('/v2/models/retail/versions/blue-1/infer', {
        ...table,
        outputs: [{ name: 'predict_proba' }],
      }),
    ];
    const theirs = await candidate.post('/predict', BASKET);
    await vi.waitFor(async () => {
      expect((await shadowOf(champion)).peers[0]?.versions).toMatchObject([{ rows: 4 }]);
    });

    const { peers, disagreements } = await shadowOf(champion);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(peers).toMatchObject([{ name: 'candidate', percent: 100, dropped: {} }]);
    expect(peers[0]?.versions).toMatchObject([{ version: 'blue-1', peerVersion: 'green-1' }]);
    const basket = disagreements.find(({ requestId }) => requestId === 'basket');
    const [ours, other] = [answers[0]?.json, theirs.json] as { sensitivity: string }[];
    const told = basket === undefined ? 'the same' : [basket.ours, basket.theirs];
    expect(told).toEqual(
      ours?.sensitivity === other?.sensitivity ? 'the same' : [ours?.sensitivity, other?.sensitivity],
    );
    expect(JSON.stringify(disagreements)).not.toContain('produce');
    expect(await metricsOf(champion, 'model_shadow_agreement_ratio{')).toHaveLength(1);
    expect(await metricsOf(champion, 'model_shadow_score_difference_count{peer="candidate"}')).toHaveLength(1);
  });

  it('copies calls of gRPC over REST', async () => {
    const candidate = await start('basket-green', { VARIANT: 'candidate' });
    const [port = 0] = await freePorts(1);
    const champion = await start('basket-blue', {
      SHADOW_PEERS: `candidate=${candidate.url}`,
      GRPC_PORT: String(port),
    });
    const client = grpcClient(champion.grpcAddress);
    const rows = Array.from({ length: 36 }, (_, at) => at);
    const inputs = [{ name: 'x', shape: [3, 12], datatype: 'FP64', contents: { fp64Contents: rows } }];

    const { code } = await client.call('ModelInfer', { modelName: 'retail', modelVersion: 'blue-1', inputs });
    await vi.waitFor(async () => {
      expect((await shadowOf(champion)).peers[0]?.versions).toMatchObject([{ rows: 3 }]);
    });
    client.close();

    expect(code).toBe(0);
    expect((await shadowOf(champion)).peers).toMatchObject([{ dropped: {} }]);
  });

  it('does not copy what is a copy itself: two servers that shadow each other end', async () => {
    const second = await start('basket-blue-2', { SHADOW_PEERS: 'nobody=http://127.0.0.1:9' });
    const first = await start('basket-blue', { SHADOW_PEERS: `second=${second.url}` });

    await first.post('/predict', BASKET);
    await vi.waitFor(async () => {
      expect((await shadowOf(first)).peers[0]?.versions).toHaveLength(1);
    });

    expect((await shadowOf(second)).peers).toMatchObject([{ name: 'nobody', dropped: {}, versions: [] }]);
    expect(await metricsOf(second, 'model_infer_request_success{')).toEqual([
      'model_infer_request_success{model_name="retail"} 1',
    ]);
  });

  it('answers as ever when the peer is gone, and counts', async () => {
    const champion = await start('basket-blue', { SHADOW_PEERS: 'http://127.0.0.1:9' });

    const { status } = await champion.post('/predict', BASKET);

    expect(status).toBe(200);
    await vi.waitFor(async () => {
      expect(await metricsOf(champion, 'model_shadow_dropped_total{')).toEqual([
        'model_shadow_dropped_total{peer="127.0.0.1:9",reason="unreachable"} 1',
      ]);
    });
  });
});

it('has no peers without settings', async () => {
  const server = await start('basket-blue');

  expect((await server.get('/model/shadow')).json).toEqual({ peers: [], disagreements: [] });
});
