import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeS3, Fault } from '../../test/support/fake-s3.ts';
import { fixture } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { BASKET, KEY, info, openReloadRig, reload, versionOf } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

const NEXT = fixture('basket-blue-2');
const NINE_TENTHS = Math.floor(NEXT.length * 0.9);
// Stalls are waited for.
vi.setConfig({ testTimeout: 30_000 });

let rig: ReloadRig;
let s3: FakeS3;
let server: Rig;
let before: string[];

beforeAll(async () => {
  rig = await openReloadRig();
  ({ s3 } = rig);
});
beforeEach(async () => {
  server = await rig.start({ env: { LOAD_TIMEOUT_SECONDS: '60' } });
  before = await artifacts();
});
afterEach(() => server.stop());
afterAll(() => rig.close());

const artifacts = () => readdir(join(server.dir, 'artifacts'));
const times = (count: number, fault: Fault): Fault[] => Array.from({ length: count }, () => fault);

describe('a body that ends after nine tenths', () => {
  const cut = { kind: 'cut', after: NINE_TENTHS } as const;

  it('is fetched again', async () => {
    const next = s3.put('models', KEY, NEXT);
    s3.faults.push(...times(2, cut));

    const { status, answer } = await reload(server, { sequence: 2, key: KEY, ...next });

    expect({ status, answer }).toMatchObject({ status: 200, answer: { active: { sha256: next.sha256 } } });
    expect(await artifacts()).toHaveLength(2);
  });

  it.each([
    ['with', (next: object) => next],
    ['without', ({ versionId }: { versionId: string }) => ({ versionId })],
  ])('time and again is refused %s a hash, and nothing of it is left', async (_, known) => {
    const next = s3.put('models', KEY, NEXT);
    s3.faults.push(...times(3, cut));

    const { status, answer } = await reload(server, { sequence: 2, key: KEY, ...known(next) });

    expect({ status, answer }).toMatchObject({
      status: 502,
      answer: { error: { reason: 'StoreUnreachable' }, active: { version: 'blue-1' } },
    });
    expect(await artifacts()).toEqual(before);
  });

  it('and says that it is whole is refused, and nothing of it is left', async () => {
    const part = s3.put('models', KEY, NEXT.subarray(0, NINE_TENTHS));

    const { status, answer } = await reload(server, { sequence: 2, key: KEY, etag: part.etag });

    expect({ status, answer }).toMatchObject({ status: 422, answer: { error: { reason: 'ArtifactInvalid' } } });
    expect(await artifacts()).toEqual(before);
  });
});

describe('a store that stands still', () => {
  it('is given up, while the old version answers, and nothing of it is left', async () => {
    const next = s3.put('models', KEY, NEXT);
    s3.faults.push(...times(3, { kind: 'stall', after: NINE_TENTHS }));

    const reloading = reload(server, { sequence: 2, key: KEY, ...next });
    await vi.waitFor(async () => expect((await artifacts()).length).toBe(2));
    const during = [await server.get('/ready'), await server.post('/predict', BASKET)];
    const { status, answer } = await reloading;

    expect({ status, answer }).toMatchObject({ status: 502, answer: { error: { reason: 'StoreUnreachable' } } });
    expect(answer.error?.message).toContain('sent nothing for 600 ms');
    expect(during.map((reply) => [reply.status, versionOf(reply)])).toEqual([
      [200, 'blue-1'],
      [200, 'blue-1'],
    ]);
    expect(await artifacts()).toEqual(before);
  });

  it('before its answer holds up neither late calls, which are refused, nor a call with a higher sequence', async () => {
    const next = s3.put('models', KEY, NEXT);
    const [reached, never] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    s3.faults.push({ kind: 'first', run: () => (reached.resolve(undefined), never.promise) });

    const hung = reload(server, { sequence: 2, revision: 'r2', key: KEY, ...next });
    await reached.promise;
    const late = await reload(server, { sequence: 1, revision: 'r0', key: KEY, versionId: 'v1' });
    const other = await reload(server, { sequence: 2, revision: 'r3', key: KEY, versionId: 'v1' });
    const back = await reload(server, { sequence: 3, revision: 'r1', key: KEY, versionId: 'v1' });

    expect([late, other, await hung].map(({ answer }) => answer.error?.reason)).toEqual([
      'StaleSequence',
      'StaleSequence',
      'Superseded',
    ]);
    expect(back).toMatchObject({ status: 200, answer: { status: 'unchanged' } });
    expect(await artifacts()).toEqual(before);
    never.resolve(undefined);
  });
});

it('a store that is slow, but never silent for long, is waited for', async () => {
  const patient = await rig.start({ env: { STALL_SECONDS: '2', LOAD_TIMEOUT_SECONDS: '60' } });
  const next = s3.put('models', KEY, NEXT);
  s3.faults.push({ kind: 'drip', pieces: 6, pauseMs: 400 }); // longer than that in all

  const { status } = await reload(patient, { sequence: 2, key: KEY, ...next });

  expect(status).toBe(200);
  expect(s3.requests.filter((line) => line.includes('versionId=v2'))).toHaveLength(1);
  await patient.stop();
});

it('repeated and late calls never undo a newer one', async () => {
  const second = { revision: 'r2', key: KEY, ...s3.put('models', KEY, NEXT) };
  const third = { revision: 'r3', key: KEY, ...s3.put('models', KEY, fixture('basket-green')) };
  await reload(server, { sequence: 2, ...second });
  await reload(server, { sequence: 3, ...third });

  const again = await reload(server, { sequence: 3, ...third });
  const late = await Promise.all([1, 2].map((sequence) => reload(server, { sequence, ...second })));

  expect(again).toMatchObject({ status: 200, answer: { status: 'unchanged' } });
  expect(late.map(({ status }) => status)).toEqual([409, 409]);
  expect(await info(server)).toMatchObject({ version: 'green-1', sequence: 3, artifact: { revision: 'r3' } });
});
