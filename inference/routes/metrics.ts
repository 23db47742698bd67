// GET /metrics for Prometheus.
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';

export function addMetricsRoute(app: FastifyInstance, { registry }: Metrics): void {
  app.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
