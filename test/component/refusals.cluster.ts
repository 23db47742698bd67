// Artifacts that must never serve: each is refused with its reason, once, while the version before it goes on.
import { gzipSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import { artifactOf, readArtifact, truncated } from '../demo/artifacts.ts';
import { condition } from '../demo/kube.ts';
import { SYSTEM_NAMESPACE } from '../demo/manifests.ts';
import { modelInfo, modelPods } from '../demo/pods.ts';
import { operatorPods } from '../demo/promotions.ts';
import { isUpload, type Target } from '../demo/reload.ts';
import { global, pickle } from '../support/a-pickle.ts';
import { openScene, untilReady, type Scene } from './scene.ts';

const SEVERAL_POLLS_MS = 2_500;

let stage: Scene;
let target: Target;

beforeAll(async () => {
  stage = await openScene();
  target = await stage.applySingle('refusals', { replicas: 2 });
  await untilReady(stage, [target]);
});

afterAll(() => stage.close());

async function archive(files: Readonly<Record<string, Uint8Array>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, bytes] of Object.entries(files)) tar.entry({ name }, Buffer.from(bytes));
  tar.finalize();
  return gzipSync(await buffer(tar));
}

/** `os.system("touch /tmp/owned")` when a pickle reader is careless. */
async function hostile(): Promise<Buffer> {
  return archive({ 'model.joblib': pickle(global('posix', 'system'), "(S'touch /tmp/owned'\ntR.") });
}

const CASES: readonly (readonly [what: string, reason: string, make: () => Promise<Buffer>])[] = [
  ['a truncated archive', 'ArtifactInvalid', async () => truncated(await readArtifact('basket-blue-2')).bytes],
  ['a pickle that calls os.system', 'UnsupportedModel', hostile],
  [
    'a model of other features',
    'SchemaIncompatible',
    async () => readFile(new URL('../fixtures/models/iris-sk132/model.tar.gz', import.meta.url)),
  ],
];

describe('an upload', () => {
  it.each(CASES)('of %s is refused: %s', async (_what, reason, make) => {
    const { kube, store } = stage;
    const uploaded = await store.upload(target.bucket, target.key, await make());

    const rejection = await kube.until(target, 'the upload to be refused', ({ status }) => {
      const revision = status.revisions?.find((row) => isUpload(row, uploaded))?.name;
      return status.variants?.[0]?.rejected?.find((candidate) => candidate.revision === revision);
    });
    const resource = await kube.until(target, 'UpToDate to say so', (candidate) =>
      condition(candidate, 'UpToDate')?.message.includes(reason) === true ? candidate : undefined,
    );

    expect(rejection.reason).toBe(reason);
    expect(condition(resource, 'Ready')?.status).toBe('True');
    expect(condition(resource, 'UpToDate')).toMatchObject({ status: 'False', reason: 'ArtifactRejected' });
    expect(
      await kube.kubectl(['get', 'mdep', target.name, '--namespace', target.namespace, '--output=wide']),
    ).toContain(reason);
    expect(await kube.events(target.namespace, target.name)).toContainEqual(
      expect.objectContaining({
        type: 'Warning',
        reason: 'ArtifactRejected',
        note: expect.stringContaining(reason) as unknown,
      }),
    );
    expect(await servedVersions()).toEqual(['blue-1', 'blue-1']);
    const calls = await countCalls(rejection.revision);
    await sleep(SEVERAL_POLLS_MS);
    expect(await countCalls(rejection.revision)).toBe(calls);
  });
});

describe('a sha256 of the spec that the object does not have', () => {
  it('is refused, reported as Stalled, and the version before it goes on', async () => {
    const { kube, store } = stage;
    const key = `${target.name}/pinned.tar.gz`;
    await store.upload(target.bucket, key, (await readArtifact('basket-blue-2')).bytes);
    const sha256 = artifactOf(Buffer.from('something else'), '').sha256;
    const variants = [{ name: 'blue', weight: 1, model: { key, sha256 } }];
    const patch = JSON.stringify({ spec: { variants } });
    await kube.kubectl([
      'patch',
      'mdep',
      target.name,
      '--namespace',
      target.namespace,
      '--type=merge',
      '--patch',
      patch,
    ]);

    const stalled = await kube.until(target, 'Stalled to say why', (resource) => condition(resource, 'Stalled'));

    expect(stalled).toMatchObject({ status: 'True', reason: 'ChecksumMismatch' });
    expect(await servedVersions()).toEqual(['blue-1', 'blue-1']);
  });
});

async function servedVersions(): Promise<(string | null | undefined)[]> {
  const pods = await modelPods(stage.kube, target.namespace, target.name);
  return Promise.all(pods.map(async (pod) => (await modelInfo(pod))?.version));
}

/** Reload calls that the operator has logged for a revision. */
async function countCalls(revision: string): Promise<number> {
  const pods = await operatorPods(stage.kube);
  const logs = await Promise.all(pods.map(({ name }) => stage.kube.log(SYSTEM_NAMESPACE, name)));
  const isCall = (line: string): boolean => line.includes('asked to reload') && line.includes(`"${revision}"`);
  return logs.flatMap((log) => log.split('\n')).filter(isCall).length;
}
