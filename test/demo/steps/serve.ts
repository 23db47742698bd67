// Uploads two real artifacts, applies the example and its sibling on the unversioned bucket, waits until they are ready, and lets the load begin.
import { Load } from '../../load/load.ts';
import type { Expectation } from '../../load/contract.ts';
import { readArtifact, readBaskets } from '../artifacts.ts';
import { EXAMPLE, readExample, singleVariant } from '../manifests.ts';
import { BLUE, PLAIN } from '../show.ts';
import type { Stage } from '../stage.ts';

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

/** Load on the Service of the example, from a process on the node's own network. */
export async function startLoad({ cluster, kube }: Stage, perSecond = REQUESTS_PER_SECOND): Promise<Load> {
  return Load.start((command, args, options) => cluster.inNamespace(command, args, options), {
    url: `${await serviceUrl(kube, BLUE.namespace, BLUE.name)}/predict`,
    connections: CONNECTIONS,
    perSecond,
    keys: KEYS,
    keyHeader: 'x-user-id',
    timeoutMs: 10_000,
    maxSeconds: 900,
    maxRequests: 2_000_000,
    baskets: await readBaskets(),
    expectation: FIRST_EXPECTATION,
  });
}

/** `http://CLUSTER-IP:PORT` of a Service: neither the host nor the node asks the cluster's DNS. */
export async function serviceUrl(kube: Stage['kube'], namespace: string, name: string): Promise<string> {
  const body = await kube.read(`/api/v1/namespaces/${namespace}/services/${name}`);
  const { spec } = JSON.parse(body ?? '{}') as { spec?: { clusterIP?: string; ports?: { port: number }[] } };
  if (spec?.clusterIP === undefined) throw new Error(`Service ${namespace}/${name} has no address`);
  return `http://${spec.clusterIP}:${spec.ports?.[0]?.port ?? 80}`;
}
