// The server between two loads: what is reported of it, and what is done when it loses its model.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KEY, anArtifact, startAdapter, until } from '../../test/support/adapter-rig.ts';
import type { AdapterRig, AdapterRigOptions } from '../../test/support/adapter-rig.ts';
import { startFakeS3 } from '../../test/support/fake-s3.ts';
import type { FakeS3 } from '../../test/support/fake-s3.ts';

let s3: FakeS3;
let rig: AdapterRig | undefined;

beforeAll(async () => {
  s3 = await startFakeS3();
});
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});
afterAll(() => s3.close());

async function start(options: Omit<AdapterRigOptions, 's3'> = {}): Promise<AdapterRig> {
  rig = await startAdapter({ s3, ...options });
  return rig;
}

/** An adapter whose server serves version one. */
async function serving(options: Omit<AdapterRigOptions, 's3'> = {}): Promise<AdapterRig> {
  const started = await start({ isThere: true, ...options });
  await started.firstLoad();
  return started;
}

describe('between two loads', () => {
  it('says nothing is served while the server is down, and the version when it is back on its file', async () => {
    const adapter = await serving();
    await adapter.neighbour.stop();
    expect(await adapter.info()).toMatchObject({
      version: null,
      artifact: null,
      failure: { reason: 'RuntimeUnreachable' },
    });

    await adapter.neighbour.start();

    expect(await adapter.info()).toMatchObject({ version: 'one', artifact: { revision: 'r1' } });
    expect((await adapter.info()).failure).toBeUndefined();
  });

  it('hands the model over again when the server has lost it', async () => {
    const adapter = await serving({ env: { ADAPTER_CHECK_SECONDS: '0.05' } });

    adapter.neighbour.version = undefined;
    await until(async () => (await adapter.info()).version === 'one');

    expect(adapter.neighbour.loads).toEqual(['one', 'one']);
  });

  it('takes a reload of the version that was lost as work to do', async () => {
    const adapter = await serving();
    const { sha256 } = (await adapter.info()).artifact ?? {};
    adapter.neighbour.version = undefined;

    const { answer } = await adapter.reload({ sequence: 2, key: KEY, sha256 });

    expect(answer).toMatchObject({ status: 'loaded', active: { version: 'one' } });
    expect(adapter.neighbour.version).toBe('one');
  });

  it('gives a kept artifact to siblings', async () => {
    const adapter = await serving();
    const { sha256 = '' } = (await adapter.info()).artifact ?? {};

    const response = await adapter.admin(`/artifacts/${sha256}`);

    expect(Buffer.from(await response.arrayBuffer()).equals(await anArtifact('one'))).toBe(true);
  });

  it('counts the connections of a drain', async () => {
    const adapter = await serving();

    const response = await adapter.admin('/drain', { method: 'POST', body: JSON.stringify({ id: 'd1' }) });

    expect(await response.json()).toEqual({ id: 'd1', remaining: 0 }); // those of this machine do not count
  });
});
