// The public port: all APIs that clients speak, CORS, and the answers for what does not exist.
import type { FastifyInstance } from 'fastify';
import { systemClock } from './clock.ts';
import type { Connections } from './connections.ts';
import { answerPreflight } from './cors.ts';
import type { CorsOrigins } from './cors.ts';
import type { Copies } from './monitoring/copies.ts';
import { addTaps } from './monitoring/exchange.ts';
import type { Overview } from './overview.ts';
import { addDocsRoutes } from './routes/docs.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addMetadataRoutes } from './routes/metadata.ts';
import { addMetricsRoute } from './routes/metrics.ts';
import type { ModelsOptions } from './routes/models.ts';
import { headerSafe } from './model/served.ts';
import { predictor } from './routes/predict.ts';
import { predictLanes } from './routes/predict-lane.ts';
import { laterPredictor } from './routes/predict-later.ts';
import { addPredictRoute } from './routes/predict-route.ts';
import { addShadowRoute } from './routes/shadow.ts';
import { addV1Routes } from './routes/v1.ts';
import { addV2Routes } from './routes/v2.ts';
import { createServer } from './server.ts';
import type { LaneTools, ServerOptions } from './server.ts';
import { addUnknownAnswers } from './unknown.ts';

export interface PublicOptions extends Omit<ServerOptions, 'slot' | 'lanes'>, ModelsOptions {
  readonly connections: Connections;
  readonly corsOrigins: CorsOrigins;
  /** Who gets copies of requests and answers. */
  readonly copies: Pick<Copies, 'taps'>;
  readonly overview: Overview;
  /** POST /model/reload, for everybody. */
  readonly allowPublicReload: boolean;
}

export function createPublicApi(options: PublicOptions): FastifyInstance {
  const { slot, counts, variant, isLeaving, corsOrigins, copies, overview } = options;
  const predict = predictor(slot, counts);
  const predictLater = laterPredictor(slot, counts);
  const shared = { ...options, predict, predictLater, variantHeader: headerSafe(variant) };
  const lanes = (tools: LaneTools) => predictLanes(shared, tools);
  const app = createServer({ ...options, problemForm: 'python', lanes });
  addTaps(app, copies.taps, systemClock);
  addUnknownAnswers(app, (request, reply) => answerPreflight(request, reply, corsOrigins));
  addDocsRoutes(app, options);
  addPredictRoute(app, predictLater);
  addHealthRoutes(app, slot, isLeaving);
  addMetadataRoutes(app, overview, options.allowPublicReload);
  addMetricsRoute(app, overview.metrics);
  addShadowRoute(app, overview.shadow);
  addV1Routes(app, options);
  addV2Routes(app, options);
  return app;
}
