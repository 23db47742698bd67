// GET /model/shadow: how far the peers that get copies agree.
import type { FastifyInstance } from 'fastify';
import { shadowView } from '../monitoring/shadow-view.ts';
import type { ShadowReading } from '../monitoring/shadow-view.ts';

/** Without a shadow it says that there are no peers. */
export function addShadowRoute(app: FastifyInstance, shadow: ShadowReading | undefined): void {
  app.get('/model/shadow', () => shadowView(shadow ?? { peers: [], disagreements: [] }));
}
