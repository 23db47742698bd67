// GET /model/shadow: how far the peers that get copies agree.
import type { FastifyInstance } from 'fastify';
import type { Overview } from '../overview.ts';

export function addShadowRoute(app: FastifyInstance, view: Overview['shadow']): void {
  app.get('/model/shadow', () => view());
}
