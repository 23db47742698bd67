import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeS3 } from '../../test/support/fake-s3.ts';
import { fixture } from '../../test/support/inference-rig.ts';
import type { Reply, Rig } from '../../test/support/inference-rig.ts';
import { BASKET, KEY, info, openReloadRig, reload, versionOf } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';
import { startVersionLoad } from '../../test/support/version-load.ts';
import { NEW_CONNECTION, TWO_THREADS, byBoth } from '../../test/support/two-threads.ts';

// A thread reads all of the sources.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let rig: ReloadRig;
let s3: FakeS3;
let server: Rig;

beforeAll(async () => {
  rig = await openReloadRig();
  ({ s3 } = rig);
});
afterAll(() => rig.close());
beforeEach(async () => {
  server = await rig.start({ env: { ...TWO_THREADS, LOAD_TIMEOUT_SECONDS: '60' } });
});
afterEach(() => server.stop());

const predict = (body: unknown = BASKET) => server.post('/predict', body, NEW_CONNECTION);
const get = (path: string) => server.get(path, NEW_CONNECTION);

/** Value of the series that begins like this. */
function valueOf({ text }: Reply, start: string): number {
  const line = text.split('\n').find((each) => each.startsWith(start)) ?? '';
  return Number(line.slice(line.lastIndexOf(' ')));
}

describe('two serving threads', () => {
  it('answer by one model, and both tell the same of it', async () => {
    const answers = await byBoth(() => predict());
    const told = await byBoth(() => get('/model/info'));

    expect(answers.map(versionOf)).toEqual(['blue-1', 'blue-1']);
    const [first, second] = answers.map(({ json }) => json as Record<string, unknown>);
    expect(first?.['confidence']).toBe(second?.['confidence']);
    expect(told[0]?.json).toEqual(told[1]?.json);
    expect(told[0]?.json).toMatchObject({ version: 'blue-1', sequence: 1, artifact: { revision: 'r1' } });
  });

  it('are counted as one, whichever is asked', async () => {
    let [served, refused] = [0, 0];
    await byBoth(() => {
      served += 1;
      return predict();
    });
    await byBoth(() => predict({ basket_items: (refused += 1) }));

    for (const metrics of await byBoth(() => get('/metrics'))) {
      expect(valueOf(metrics, 'model_infer_request_success{')).toBe(served);
      expect(valueOf(metrics, 'model_infer_request_failure{')).toBe(refused);
      expect(valueOf(metrics, 'request_predict_seconds_count{')).toBe(served);
      expect(valueOf(metrics, 'model_predictions_total{')).toBe(served);
    }
  });

  it('swap together: after the call nobody answers by the old version, and no request fails', async () => {
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    const load = startVersionLoad(server.url, 8);
    await load.answers(100);

    const { status } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });
    load.mark();
    await load.answers(100);
    const { before, after, failed } = await load.stop();

    expect({ status, failed }).toEqual({ status: 200, failed: 0 });
    expect(before).toContain('blue-1');
    expect(new Set(after)).toEqual(new Set(['blue-2']));
    expect((await byBoth(() => predict())).map(versionOf)).toEqual(['blue-2', 'blue-2']);
  });

  it('keep what they have when an artifact is refused', async () => {
    const bad = s3.put('models', KEY, Buffer.from('no archive'));

    const { status, answer } = await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...bad });

    expect({ status, answer }).toMatchObject({ status: 422, answer: { error: { reason: 'ArtifactInvalid' } } });
    expect((await byBoth(() => predict())).map(versionOf)).toEqual(['blue-1', 'blue-1']);
    expect(await info(server)).toMatchObject({ version: 'blue-1', failure: { sequence: 2 } });
  });

  it('return to the version before without reading it again', async () => {
    const first = (await info(server)).artifact;
    const next = s3.put('models', KEY, fixture('basket-blue-2'));
    await reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next, keep: ['r1'] });
    const before = s3.requests.length;

    const { status } = await reload(server, { sequence: 3, revision: 'r1', key: KEY, sha256: first?.sha256 });

    expect({ status, requests: s3.requests.length }).toEqual({ status: 200, requests: before });
    expect((await byBoth(() => predict())).map(versionOf)).toEqual(['blue-1', 'blue-1']);
  });

  it('are drained as one', async () => {
    const drain = async () =>
      ((await server.admin('POST', '/drain', { id: 'd1' })).json as { remaining: number }).remaining;
    // fetch keeps its connections: two requests at a time are two of them
    const pairs = async () => Promise.all([server.post('/predict', BASKET), server.post('/predict', BASKET)]);
    await pairs();

    const begun = await drain();
    await vi.waitFor(async () => {
      await pairs();
      expect(await drain()).toBe(0);
    });

    expect(begun).toBeGreaterThan(0);
  });
});
