import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFakeS3 } from '../../test/support/fake-s3.ts';
import { desiredEnv, fixture, startInference } from '../../test/support/inference-rig.ts';
import { ModelInfo } from '../contract.ts';

const KEY = 'retail/model.tar.gz';

it('GET /model/info tells of the load under way beside the version that answers', async () => {
  const s3 = await startFakeS3();
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-loading-'));
  s3.createBucket('models', { versioned: true });
  const store = { endpoint: s3.endpoint, region: 'eu-central-1', forcePathStyle: true };
  const artifact = { store, bucket: 'models', key: KEY, ...s3.put('models', KEY, fixture('basket-blue')) };
  const desired = { artifact, sequence: 1, modelDeployment: 'retail', variant: 'blue', revision: 'r1' };
  const server = await startInference(await desiredEnv(dir, desired));
  const info = async () => ModelInfo.parse((await server.admin('GET', '/model/info')).json);
  const gate = Promise.withResolvers<undefined>();
  s3.faults.push({ kind: 'first', run: () => gate.promise });
  const next = { sequence: 2, revision: 'r2', key: KEY, ...s3.put('models', KEY, fixture('basket-blue-2')) };

  await server.admin('POST', '/model/reload', { ...next, wait: 0 });
  const during = await info();
  gate.resolve(undefined);
  await server.admin('POST', '/model/reload', next);
  const after = await info();

  expect(during).toMatchObject({ version: 'blue-1', loading: { revision: 'r2', sequence: 2 } });
  expect(after).toMatchObject({ version: 'blue-2', sequence: 2 });
  expect(after.loading).toBeUndefined();
  await server.stop();
  await s3.close();
  await rm(dir, { recursive: true });
});
