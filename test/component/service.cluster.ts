// The Services of a ModelDeployment: names that somebody else has taken, and the way between a plain Service and the routers.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { condition } from '../demo/kube.ts';
import { NAMESPACE } from '../demo/manifests.ts';
import type { Target } from '../demo/reload.ts';
import { uniqueName } from '../support/tier.ts';
import { failuresOf, loadOn, openScene, untilReady, untilReason, type Scene } from './scene.ts';

let stage: Scene;

beforeAll(async () => {
  stage = await openScene();
});

afterAll(() => stage.close());

it('leaves a foreign Service of a name that it needs alone, reports it, and takes the name when it is free', async () => {
  const { kube } = stage;
  const name = uniqueName('taken');
  const service = `${name}--blue`;
  const metadata = { name: service, namespace: NAMESPACE };
  await kube.apply({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 4711 }] } });
  const target = await stage.applySingle('taken', { name, replicas: 1 });

  expect(await untilReason(stage, target, 'Stalled', 'NameConflict')).toContain(`Service ${service}`);
  const foreign = await kube.read(`/api/v1/namespaces/${NAMESPACE}/services/${service}`);
  expect(JSON.parse(foreign ?? '{}')).toMatchObject({ spec: { ports: [{ port: 4711 }] } });
  await kube.kubectl(['delete', 'service', service, '--namespace', NAMESPACE]);
  await untilReady(stage, [target]);
});

/** Edits `traffic.sticky`, which decides between the two, and waits until the edit is in effect and old connections have ended. */
async function switchTo(target: Target, sticky: object | null, message: string): Promise<void> {
  const { namespace, name } = target;
  const patch = JSON.stringify({ spec: { traffic: { sticky } } });
  await stage.kube.kubectl(['patch', 'mdep', name, '--namespace', namespace, '--type=merge', '--patch', patch]);
  await stage.kube.until(
    target,
    message,
    (resource) => {
      const { metadata, status } = resource;
      const traffic = condition(resource, 'TrafficApplied');
      const isDone = status.observedGeneration === metadata.generation && status.draining === undefined;
      return isDone && traffic?.status === 'True' && traffic.message.includes(message);
    },
    90,
  );
}

it('moves between model pods and routers by an edit, without losing a request of clients that keep their connections', async () => {
  const target = await stage.applySingle('switch', { replicas: 2 });
  await untilReady(stage, [target]);
  const load = await loadOn(stage, target);
  try {
    await switchTo(target, { header: 'x-user-id' }, 'every serving router confirms');
    await switchTo(target, null, 'the Service points at');

    expect(failuresOf(await load.stop())).toEqual([]);
  } finally {
    await load.kill();
  }
});
