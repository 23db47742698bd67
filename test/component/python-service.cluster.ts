// The Python service as a pod, from its own Dockerfile, unchanged, with a ModelDeployment as a user would write it: the operator sees one contract. The bucket
// has no versions, so that a broken upload destroys the promoted bytes.
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { waitFor } from '../cluster/process.ts';
import { buildPythonService, PYTHON_SERVICE_IMAGE } from '../cluster/python-image.ts';
import { artifactOf, readArtifact, readBaskets } from '../demo/artifacts.ts';
import type { Artifact } from '../demo/artifacts.ts';
import { condition } from '../demo/kube.ts';
import type { PodView, ResourceView } from '../demo/kube.ts';
import { NAMESPACE, PLAIN_BUCKET } from '../demo/manifests.ts';
import { getText } from '../demo/pods.ts';
import { serviceUrl } from '../demo/traffic.ts';
import { showProgress } from '../progress.ts';
import { anArtifact } from '../support/adapter-rig.ts';
import { startClients } from '../support/basket-clients.ts';
import type { Clients } from '../support/basket-clients.ts';
import { uniqueName } from '../support/tier.ts';
import { openScene, untilReady, untilReason } from './scene.ts';
import type { Scene } from './scene.ts';

const EXAMPLE = new URL('../../crds/examples/python-service.yaml', import.meta.url);
const BUILD_MS = 10 * 60_000;

interface ServedByPython {
  readonly spec: {
    readonly source: { readonly s3: object };
    readonly variants: readonly { readonly model: object }[];
  };
}

let scene: Scene;
let clients: Clients | undefined;
const target = { namespace: NAMESPACE, name: '', variant: 'champion', bucket: PLAIN_BUCKET, key: '' };

beforeAll(async () => {
  scene = await openScene();
  const { report, close } = showProgress();
  try {
    await buildPythonService(report);
    await scene.cluster.importImages([PYTHON_SERVICE_IMAGE]);
  } finally {
    close();
  }
}, 2 * BUILD_MS);
afterEach(() => clients?.stop());
afterAll(async () => {
  await scene.close(target);
});

const upload = (artifact: Artifact) => scene.store.upload(target.bucket, target.key, artifact.bytes);
const pods = async (): Promise<PodView[]> => {
  const all = await scene.kube.pods(NAMESPACE, `switchyard.dev/model-deployment=${target.name}`);
  return all.filter(({ terminating }) => !terminating);
};
const namesOf = (views: readonly PodView[]) => views.map(({ name, restarts }) => `${name} ${restarts}`).sort();
const serves = (version: string) => (resource: ResourceView) =>
  resource.status.summary?.version === version && condition(resource, 'UpToDate')?.status === 'True';

it('comes up with the model of the store', async () => {
  Object.assign(target, { name: uniqueName('python') });
  target.key = `${target.name}/model.tar.gz`;
  await upload(await readArtifact('basket-blue'));
  const example = parse(await readFile(EXAMPLE, 'utf8')) as ServedByPython;
  const { source, variants } = example.spec;
  const spec = {
    ...example.spec,
    source: { ...source, s3: { ...source.s3, bucket: target.bucket } },
    variants: variants.map((variant) => ({ ...variant, model: { key: target.key } })),
  };
  await scene.kube.apply({ ...example, metadata: { name: target.name, namespace: NAMESPACE }, spec });

  await untilReady(scene, [target], 180);

  await scene.kube.until(target, 'version blue-1', serves('blue-1'));
  const url = `${await serviceUrl(scene.kube, NAMESPACE, target.name)}/model/info`;
  // kube-proxy hears of ready pods a moment later.
  const answer = await waitFor(() => getText(url), { what: url, deadlineMs: 15_000 });
  expect(JSON.parse(answer)).toMatchObject({ version: 'blue-1', model_type: 'RandomForestClassifier' });
  expect(namesOf(await pods()).every((pod) => pod.endsWith(' 0'))).toBe(true);
});

it('takes a new file in running pods without a failed request', async () => {
  const before = namesOf(await pods());
  const load = startClients(`${await serviceUrl(scene.kube, NAMESPACE, target.name)}/predict`, await readBaskets());
  clients = load;

  await upload(await readArtifact('basket-blue-2'));
  await scene.kube.until(target, 'version blue-2', serves('blue-2'), 60);

  const { answered, failed } = await load.stop();
  expect(failed).toEqual({});
  expect(answered).toBeGreaterThan(0);
  expect(namesOf(await pods())).toEqual(before);
});

it('never sees a broken file, which is refused with a reason; a new pod has the promoted one from its sibling', async () => {
  const load = startClients(`${await serviceUrl(scene.kube, NAMESPACE, target.name)}/predict`, await readBaskets());
  clients = load;

  await upload(artifactOf(await anArtifact('broken', 'no pickle at all'), 'broken'));
  expect(await untilReason(scene, target, 'UpToDate', 'ArtifactRejected')).toContain('LoadFailed');
  expect(await load.stop()).toMatchObject({ failed: {} });

  const [first] = await pods();
  await scene.kube.kubectl(['delete', 'pod', first?.name ?? '', '--namespace', NAMESPACE]);
  await scene.kube.until(
    target,
    'two pods on blue-2 again',
    ({ status }) => status.summary?.version === 'blue-2' && status.summary.loaded === '2/2',
    120,
  );
  const resource = await scene.kube.resource(NAMESPACE, target.name);
  expect(resource && condition(resource, 'Ready')?.status).toBe('True');
});
