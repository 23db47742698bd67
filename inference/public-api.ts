// The public port: all APIs that clients speak, CORS, and the answers for what does not exist.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerPreflight } from './cors.ts';
import type { CorsOrigins } from './cors.ts';
import { HttpError } from './errors.ts';
import type { Metrics } from './metrics.ts';
import type { ModelSlot } from './model/slot.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addMetadataRoutes } from './routes/metadata.ts';
import { addMetricsRoute } from './routes/metrics.ts';
import { addPredictRoute } from './routes/predict.ts';
import { addV1Routes } from './routes/v1.ts';
import { addV2Routes } from './routes/v2.ts';
import { createServer } from './server.ts';
import type { ServerOptions } from './server.ts';

export interface PublicOptions extends ServerOptions {
  readonly slot: ModelSlot;
  readonly metrics: Metrics;
  readonly modelName: () => string;
  readonly isLeaving: () => boolean;
  readonly corsOrigins: CorsOrigins;
  readonly reload?: () => void;
}

export function createPublicApi(options: PublicOptions): FastifyInstance {
  const { slot, metrics, variant, isLeaving, reload, corsOrigins } = options;
  const app = createServer({ ...options, problemForm: 'python' });
  addPredictRoute(app, slot, metrics);
  addHealthRoutes(app, slot, isLeaving);
  addMetadataRoutes(app, { slot, variant, ...(reload && { reload }) });
  addMetricsRoute(app, metrics);
  addV1Routes(app, options);
  addV2Routes(app, options);
  app.setNotFoundHandler(
    (request, reply) => answerPreflight(request, reply, corsOrigins) ?? answerUnknown(app, request, reply),
  );
  return app;
}

/** A known path with another method (405), or an unknown path (404): as Starlette answers them. */
function answerUnknown(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const url = request.url.split('?')[0] ?? '';
  const allowed = (['GET', 'POST'] as const).filter((other) => app.hasRoute({ method: other, url }));
  if (allowed.length === 0) return reply.send(new HttpError(404, 'Not Found'));
  return reply.header('allow', allowed.join(', ')).send(new HttpError(405, 'Method Not Allowed'));
}
