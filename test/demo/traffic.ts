// Load on the Service of a ModelDeployment, from a process on the node's own network.
import type { Expectation } from '../load/contract.ts';
import { Load } from '../load/load.ts';
import { waitFor } from '../cluster/process.ts';
import { readBaskets } from './artifacts.ts';
import { getText } from './pods.ts';
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

/** Begins to send when the Service answers: pods are ready a moment before kube-proxy has heard of it. */
export async function startTraffic({ cluster, kube, signal }: Stage, traffic: Traffic): Promise<Load> {
  const { namespace, name, ...plan } = traffic;
  const base = await serviceUrl(kube, namespace, name);
  const answers = async (): Promise<boolean> => (await getText(`${base}/model/info`)) !== undefined;
  await waitFor(answers, { what: `Service ${namespace}/${name}`, deadlineMs: 15_000, intervalMs: 100, signal });
  const url = `${base}/predict`;
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
