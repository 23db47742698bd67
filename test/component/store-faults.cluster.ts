// The object store may lack what is named, refuse, or be away for a while: a condition says so, what serves goes on serving, and it heals by itself.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readArtifact } from '../demo/artifacts.ts';
import { condition } from '../demo/kube.ts';
import { BUCKET, NAMESPACE } from '../demo/manifests.ts';
import { reload } from '../demo/reload.ts';
import { uniqueName } from '../support/tier.ts';
import { BLUE_ONLY, failuresOf, loadOn, openScene, untilReady, untilReason, type Scene } from './scene.ts';

let stage: Scene;

beforeAll(async () => {
  stage = await openScene();
});

afterAll(() => stage.close());

async function makeSecret(name: string): Promise<void> {
  const values = ['--from-literal=AWS_ACCESS_KEY_ID=nobody', '--from-literal=AWS_SECRET_ACCESS_KEY=nothing-at-all'];
  await stage.kube.kubectl(['create', 'secret', 'generic', name, '--namespace', NAMESPACE, ...values]);
}

/** The spec's source, pointed somewhere else. */
function source(bucket: string, secret: string) {
  const s3 = { store: 'minio', bucket, credentialsSecretRef: { name: secret } };
  return { replicas: 1, spec: { source: { pollInterval: '1s', s3 } } };
}

it('names a missing bucket, a missing key and refused credentials, and goes on when the key appears', async () => {
  const secret = uniqueName('wrong');
  await makeSecret(secret);
  const key = `${uniqueName('later')}/model.tar.gz`;
  const noBucket = await stage.applySingle('no-bucket', source('nowhere', 's3-read'));
  const noKey = await stage.applySingle('no-key', { replicas: 1, key });
  const noEntry = await stage.applySingle('no-entry', source(BUCKET, secret));

  expect(await untilReason(stage, noBucket, 'ArtifactResolved', 'NoSuchBucket')).toContain('nowhere');
  expect(await untilReason(stage, noKey, 'ArtifactResolved', 'NoSuchKey')).toContain(key);
  expect(await untilReason(stage, noEntry, 'ArtifactResolved', 'AccessDenied')).not.toContain('nothing-at-all');
  await stage.store.upload(BUCKET, key, (await readArtifact('basket-blue')).bytes);
  await untilReady(stage, [noKey]);
});

it('serves on while the store is down, and takes uploads from after it', async () => {
  const target = await stage.applySingle('outage', { replicas: 1 });
  await untilReady(stage, [target]);
  const load = await loadOn(stage, target);
  try {
    await stage.cluster.s3.stop();
    await untilReason(stage, target, 'ArtifactResolved', 'StoreUnreachable');
    const during = await stage.kube.resource(target.namespace, target.name);
    await stage.cluster.s3.start();
    await untilReason(stage, target, 'ArtifactResolved', 'Resolved');
    await load.expect({ ...BLUE_ONLY, versions: { blue: ['blue-1', 'blue-2'] } });
    await reload(stage, target, await readArtifact('basket-blue-2'));

    expect(during === undefined ? undefined : condition(during, 'Ready')?.status).toBe('True');
    expect(failuresOf(await load.stop())).toEqual([]);
  } finally {
    await stage.cluster.s3.start();
    await load.kill();
  }
});
