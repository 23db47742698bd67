// The operator's Prometheus metrics. No label holds a name of a resource: the number of series does not grow with the number of resources.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RequestRecord } from './kube/client.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly reconciles: Counter<'result'>;
  readonly reconcileSeconds: Histogram;
  readonly artifactToPods: Histogram;
  readonly kubeRequests: Counter<'method' | 'code'>;
  readonly storeCalls: Counter<'operation' | 'result'>;
  readonly leading: Gauge;
  readonly queue: Gauge<'state'>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    reconciles: new Counter({
      name: 'switchyard_reconciles_total',
      help: 'Passes over a resource by result.',
      labelNames: ['result'],
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: 'switchyard_reconcile_seconds',
      help: 'Duration of a pass over a resource.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    artifactToPods: new Histogram({
      name: 'switchyard_artifact_to_pods_seconds',
      help: 'From the List that first saw a new artifact version until every pod of the variant reported it.',
      buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
      registers,
    }),
    kubeRequests: new Counter({
      name: 'switchyard_kube_requests_total',
      help: 'Requests to the API server.',
      labelNames: ['method', 'code'],
      registers,
    }),
    storeCalls: new Counter({
      name: 'switchyard_store_calls_total',
      help: 'Requests to object stores.',
      labelNames: ['operation', 'result'],
      registers,
    }),
    leading: new Gauge({ name: 'switchyard_leading', help: '1 while this replica holds the lease.', registers }),
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
