// Uploads two real artifacts, applies the example and its sibling on the unversioned bucket, and waits until they are ready.
import type { Expectation } from '../../load/contract.ts';
import type { Load } from '../../load/load.ts';
import { readArtifact } from '../artifacts.ts';
import { EXAMPLE, readExample, singleVariant } from '../manifests.ts';
import { BLUE, PLAIN } from '../show.ts';
import type { Stage } from '../stage.ts';
import { startTraffic } from '../traffic.ts';

const GREEN_KEY = 'retail/green/model.tar.gz';
const CONNECTIONS = 200;
const REQUESTS_PER_SECOND = 1000;
const KEYS = 10_000;

export const FIRST_EXPECTATION: Expectation = {
  phase: 'blue 90, green 10',
  versions: { blue: ['blue-1'], green: ['green-1'] },
  gained: [],
  settled: true,
};

/** Ends when both resources are Ready. Returns how long the example took, in ms. */
export async function serve({ kube, store }: Stage): Promise<number> {
  const [blue, green] = [await readArtifact('basket-blue'), await readArtifact('basket-green')];
  await store.upload(BLUE.bucket, BLUE.key, blue.bytes);
  await store.upload(BLUE.bucket, GREEN_KEY, green.bytes);
  await store.upload(PLAIN.bucket, PLAIN.key, blue.bytes);
  const startedMs = performance.now();
  await kube.kubectl(['apply', '--filename', EXAMPLE]);
  await kube.apply(singleVariant(await readExample(), PLAIN));
  await kube.wait(BLUE.namespace, `mdep/${BLUE.name}`, 'condition=Ready', 120);
  const tookMs = performance.now() - startedMs;
  await kube.wait(PLAIN.namespace, `mdep/${PLAIN.name}`, 'condition=Ready', 120);
  return tookMs;
}

/** Two hundred connections on the example. */
export async function startLoad(stage: Stage, perSecond = REQUESTS_PER_SECOND): Promise<Load> {
  const { namespace, name } = BLUE;
  const size = { connections: CONNECTIONS, perSecond, keys: KEYS };
  return startTraffic(stage, { ...size, namespace, name, expectation: FIRST_EXPECTATION });
}
