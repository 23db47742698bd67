// What is served here: GET / and GET /model/info, and the reload call that the Python service offers to everybody (off unless asked for).
import type { FastifyInstance } from 'fastify';
import type { ModelInfo } from '../contract.ts';
import { HttpError } from '../errors.ts';
import type { SlotView } from '../model/reported.ts';
import type { Overview } from '../overview.ts';

/** Version of the HTTP API that `GET /` names; the model's version is in /model/info. */
const API_VERSION = '1.0.0';

export function addMetadataRoutes(app: FastifyInstance, { info, reload }: Overview, allowReload: boolean): void {
  app.get('/', () => ({ message: 'Switchyard inference server', version: API_VERSION, status: 'running' }));
  app.get('/model/info', async () => {
    const found = await info();
    if (found === undefined) throw new HttpError(503, 'Model not loaded');
    return found;
  });
  if (!allowReload) return;
  app.post('/model/reload', () => {
    reload();
    return { message: 'Model reload initiated' };
  });
}

/** The model in use, what is being loaded and why the last load failed, as the contract has it. */
export function modelInfo(slot: SlotView, variant: string): ModelInfo {
  const { failure, loading } = slot;
  return { ...loadedInfo(slot, variant), ...(failure && { failure }), ...(loading && { loading }) };
}

/** The model in use, for everybody. */
export function loadedInfo({ current, sequence }: SlotView, variant: string): ModelInfo {
  if (current === undefined) {
    const nothing = { version: null, model_type: null, features: [], metrics: {}, loaded_at: null, artifact: null };
    return { ...nothing, variant, sequence };
  }
  const { version, manifest, loadedAt, active } = current;
  const { model_type, features, metrics } = manifest;
  return {
    version,
    model_type,
    features: [...features],
    metrics,
    loaded_at: loadedAt,
    artifact: active,
    variant,
    sequence,
  };
}
