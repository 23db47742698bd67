// The framework's way of POST /predict, for requests that ask for more than the short way has: an explanation, a trace, an unknown length.
import type { FastifyInstance } from 'fastify';
import { HttpError } from '../errors.ts';
import type { ServedModel } from '../model/served.ts';
import { sendJson } from '../server.ts';
import { isRecord } from './models.ts';
import type { PredictLater } from './predict-later.ts';

export function addPredictRoute(app: FastifyInstance, predict: PredictLater): void {
  app.post('/predict', async (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : undefined;
    const asked = { body, contentType: request.headers['content-type'], explain: isExplained(request.query) };
    return sendJson(reply, await predict(asked, (served: ServedModel) => (request.served = served)));
  });
}

/** Throws HttpError 400. */
function isExplained(query: unknown): boolean {
  const explain = isRecord(query) ? query['explain'] : undefined;
  if (explain === 'true' || explain === '1') return true;
  if (explain === undefined || explain === 'false' || explain === '0') return false;
  throw new HttpError(400, 'explain must be true or false');
}
