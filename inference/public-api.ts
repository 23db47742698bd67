// The public port: all APIs that clients speak, CORS, and the answers for what does not exist.
import type { FastifyInstance } from 'fastify';
import { systemClock } from './clock.ts';
import { answerPreflight } from './cors.ts';
import type { CorsOrigins } from './cors.ts';
import { addTaps } from './monitoring/exchange.ts';
import type { Tap } from './monitoring/exchange.ts';
import { addDocsRoutes } from './routes/docs.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addMetadataRoutes } from './routes/metadata.ts';
import { addMetricsRoute } from './routes/metrics.ts';
import type { ModelsOptions } from './routes/models.ts';
import { addPredictRoute } from './routes/predict.ts';
import { addV1Routes } from './routes/v1.ts';
import { addV2Routes } from './routes/v2.ts';
import { createServer } from './server.ts';
import type { ServerOptions } from './server.ts';
import { addUnknownAnswers } from './unknown.ts';

export interface PublicOptions extends Omit<ServerOptions, 'slot'>, ModelsOptions {
  readonly corsOrigins: CorsOrigins;
  readonly reload?: () => void;
  /** Who gets copies of requests and answers. */
  readonly taps: readonly Tap[];
}

export function createPublicApi(options: PublicOptions): FastifyInstance {
  const { slot, metrics, variant, isLeaving, reload, corsOrigins } = options;
  const app = createServer({ ...options, problemForm: 'python' });
  addTaps(app, options.taps, systemClock);
  addUnknownAnswers(app, (request, reply) => answerPreflight(request, reply, corsOrigins));
  addDocsRoutes(app, options);
  addPredictRoute(app, slot, metrics);
  addHealthRoutes(app, slot, isLeaving);
  addMetadataRoutes(app, { slot, variant, ...(reload && { reload }) });
  addMetricsRoute(app, metrics);
  addV1Routes(app, options);
  addV2Routes(app, options);
  return app;
}
