// Is the process alive, is it healthy in the Python service's words, and may it get traffic?
import type { FastifyInstance } from 'fastify';
import { pythonTimestamps } from '../clock.ts';
import { HttpError } from '../errors.ts';
import type { SlotView } from '../model/reported.ts';

/** `isLeaving`: see `ModelsOptions`. */
export function addHealthRoutes(app: FastifyInstance, slot: Pick<SlotView, 'current'>, isLeaving: () => boolean): void {
  const timestamp = pythonTimestamps();
  // Alive: the event loop answers. Neither the model nor the store has a say: a restart would mend neither.
  app.get('/live', () => ({ status: 'alive' }));
  app.get('/health', () => {
    const version = slot.current?.version;
    if (version === undefined) throw new HttpError(503, 'Model not loaded');
    return { status: 'healthy', timestamp: timestamp(), version, model_loaded: true };
  });
  app.get('/ready', () => {
    if (slot.current === undefined || isLeaving()) throw new HttpError(503, 'Model not ready');
    return { status: 'ready' };
  });
}
