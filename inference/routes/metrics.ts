// GET /metrics for Prometheus.
import type { FastifyInstance } from 'fastify';

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';

/** `text`: all of it in Prometheus' text format. */
export function addMetricsRoute(app: FastifyInstance, text: () => Promise<string>): void {
  app.get('/metrics', async (_, reply) => reply.type(TEXT_FORMAT).send(await text()));
}
