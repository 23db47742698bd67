import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import type { FakeS3, Fault } from '../../test/support/fake-s3.ts';
import { fixture } from '../../test/support/inference-rig.ts';
import type { Rig } from '../../test/support/inference-rig.ts';
import { BASKET, KEY, info, openReloadRig, reload, versionOf } from '../../test/support/reload-rig.ts';
import type { ReloadRig } from '../../test/support/reload-rig.ts';

let rig: ReloadRig;
let s3: FakeS3;

beforeAll(async () => {
  rig = await openReloadRig();
  ({ s3 } = rig);
});
afterAll(() => rig.close());

const times = (count: number, fault: Fault): Fault[] => Array.from({ length: count }, () => fault);

describe('a refused reload', () => {
  let server: Rig;
  let sequence = 1;

  beforeAll(async () => {
    server = await rig.start();
  });
  beforeEach(() => {
    sequence += 1;
  });
  afterAll(() => server.stop());

  const iris = () => fixture('iris-sk132');
  const cut = () => fixture('basket-blue-2').subarray(0, 30_000);
  it.each([
    ['a truncated archive', cut, 'ArtifactInvalid'],
    ['text', () => Buffer.from('not an archive'), 'ArtifactInvalid'],
    ['features that do not match', iris, 'SchemaIncompatible'],
    [
      'a pickle that calls os.system',
      () => anArchive([['model.joblib', 'cos\nsystem\n(S"true"\ntR.']]),
      'UnsupportedModel',
    ],
  ])('refuses %s with 422 and keeps the old model', async (_, bytes, reason) => {
    const next = s3.put('models', KEY, await bytes());

    const { status, answer } = await reload(server, { sequence, revision: 'r2', key: KEY, ...next });

    expect({ status, answer }).toMatchObject({
      status: 422,
      answer: { error: { reason }, active: { version: 'blue-1' } },
    });
    expect(await info(server)).toMatchObject({
      version: 'blue-1',
      sequence,
      failure: { reason, revision: 'r2', sequence },
    });
    expect(versionOf(await server.post('/predict', BASKET))).toBe('blue-1');
    expect((await server.get('/ready')).status).toBe(200);
  });

  it('refuses bytes that do not have the promised sha256', async () => {
    const { etag, versionId } = s3.put('models', KEY, fixture('basket-blue-2'));

    const { status, answer } = await reload(server, {
      sequence,
      key: KEY,
      etag,
      versionId,
      sha256: 'ab'.repeat(32),
    });

    expect({ status, answer }).toMatchObject({ status: 422, answer: { error: { reason: 'ChecksumMismatch' } } });
  });

  it.each([
    ['a key that does not exist', { key: 'nothing' }, [], 'NoSuchKey'],
    ['a version that does not exist', { key: KEY, versionId: 'v99' }, [], 'NoSuchKey'],
    ['an object that was overwritten', { key: KEY, etag: '"other"' }, [], 'ObjectChanged'],
    ['no permission', { key: KEY }, times(1, { kind: 'status', status: 403, code: 'AccessDenied' }), 'AccessDenied'],
    [
      'a store that is down',
      { key: KEY },
      times(3, { kind: 'status', status: 503, code: 'SlowDown' }),
      'StoreUnreachable',
    ],
    ['a body that breaks off', { key: KEY }, times(3, { kind: 'cut', after: 1000 }), 'StoreUnreachable'],
  ] as const)('answers 502 for %s', async (_, version, faults, reason) => {
    s3.put('models', KEY, fixture('basket-blue-2'));
    s3.faults.push(...faults);

    const { status, answer } = await reload(server, { sequence, ...version });

    expect({ status, answer }).toMatchObject({
      status: 502,
      answer: { error: { reason }, active: { version: 'blue-1' } },
    });
  });

  it.each([
    ['no sequence', { key: KEY }],
    ['an unknown field', { sequence: 99, key: KEY, url: 'http://elsewhere' }],
    ['a sequence that is no number', { sequence: 'x', key: KEY }],
    ['no JSON', '{'],
    ['a list', '[]'],
  ])('answers 400 for a body with %s', async (_, body) => {
    const { status, json } = await server.admin('POST', '/model/reload', body);

    expect({ status, json }).toMatchObject({ status: 400, json: { error: { reason: 'InvalidRequest' } } });
    expect((await info(server)).sequence).toBeLessThan(sequence);
  });
});
