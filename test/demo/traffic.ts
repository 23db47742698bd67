// Load on the Service of a ModelDeployment, from a process on the node's own network.
import type { Expectation } from '../load/contract.ts';
import { Load } from '../load/load.ts';
import { readBaskets } from './artifacts.ts';
import type { Stage } from './stage.ts';

export interface Traffic {
  readonly namespace: string;
  /** Of the ModelDeployment. */
  readonly name: string;
  readonly connections: number;
  readonly perSecond: number;
  /** Distinct keys, sent in turn. */
  readonly keys: number;
  readonly expectation: Expectation;
}

/** Bounds for the case that nobody stops it. */
const LIMITS = { timeoutMs: 10_000, maxSeconds: 900, maxRequests: 2_000_000 } as const;

/** Begins to send at once. */
export async function startTraffic({ cluster, kube }: Stage, traffic: Traffic): Promise<Load> {
  const { namespace, name, ...plan } = traffic;
  const url = `${await serviceUrl(kube, namespace, name)}/predict`;
  return Load.start((command, args, options) => cluster.inNamespace(command, args, options), {
    ...{ ...plan, ...LIMITS, url },
    keyHeader: 'x-user-id',
    baskets: await readBaskets(),
  });
}

/** `http://CLUSTER-IP:PORT` of a Service: neither the host nor the node asks the cluster's DNS. */
export async function serviceUrl(kube: Stage['kube'], namespace: string, name: string): Promise<string> {
  const body = await kube.read(`/api/v1/namespaces/${namespace}/services/${name}`);
  const { spec } = JSON.parse(body ?? '{}') as { spec?: { clusterIP?: string; ports?: { port: number }[] } };
  if (spec?.clusterIP === undefined) throw new Error(`Service ${namespace}/${name} has no address`);
  return `http://${spec.clusterIP}:${spec.ports?.[0]?.port ?? 80}`;
}
