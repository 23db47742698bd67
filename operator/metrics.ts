// The operator's Prometheus metrics. No label holds a name of a resource: the number of series does not grow with the number of resources.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RequestRecord } from './kube/client.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly reconciles: Counter<'result'>;
  readonly reconcileSeconds: Histogram;
  readonly artifactToPods: Histogram;
  readonly kubeRequests: Counter<'method' | 'code'>;
  readonly watchFailures: Counter<'kind'>;
  readonly storeCalls: Counter<'operation' | 'outcome'>;
  readonly leading: Gauge;
  readonly crdOutdated: Gauge;
  readonly statusRefused: Counter;
  readonly queue: Gauge<'state'>;
}

const PASS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ROLLOUT_BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** Fresh metrics in a registry of their own, with those of the process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers });
  return {
    registry,
    reconciles: counter('switchyard_reconciles_total', 'Passes over a resource by result.', ['result']),
    reconcileSeconds: histogram('switchyard_reconcile_seconds', 'Duration of a pass over a resource.', PASS_BUCKETS),
    artifactToPods: histogram(
      'switchyard_artifact_to_pods_seconds',
      'From the List that first saw a version until every pod of the variant reported it.',
      ROLLOUT_BUCKETS,
    ),
    kubeRequests: counter('switchyard_kube_requests_total', 'Requests to the API server.', ['method', 'code']),
    watchFailures: counter('switchyard_watch_failures_total', 'Interrupted lists and watches of the API server.', [
      'kind',
    ]),
    storeCalls: counter('switchyard_store_calls_total', 'Requests to object stores.', ['operation', 'outcome']),
    leading: new Gauge({ name: 'switchyard_leading', help: '1 while this replica holds the lease.', registers }),
    crdOutdated: new Gauge({
      name: 'switchyard_crd_outdated',
      help: '1 while the CustomResourceDefinition in the cluster is older than this operator.',
      registers,
    }),
    statusRefused: counter('switchyard_status_refused_total', 'Statuses that the API server refused as invalid.', []),
    queue: new Gauge({
      name: 'switchyard_queue_keys',
      help: 'Resources in the work queue.',
      labelNames: ['state'],
      registers,
    }),
  };
}

/** Counts one request to the API server; code 0 means that there was no answer. */
export function countRequest(metrics: Metrics, { method, status }: RequestRecord): void {
  metrics.kubeRequests.inc({ method, code: String(status) });
}
