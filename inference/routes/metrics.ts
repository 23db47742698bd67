// GET /metrics for Prometheus.
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';

export function addMetricsRoute(app: FastifyInstance, metrics: Pick<Metrics, 'text' | 'contentType'>): void {
  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}
