// GET /openapi.json and GET /docs, as the Python service has them.
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from '../openapi/document.ts';
import type { Route } from '../openapi/document.ts';
import { PAGE, PAGE_POLICY } from '../openapi/page.ts';
import type { ModelsOptions } from './models.ts';

/** To be called before the other routes are added: it describes those that come after it, and its own. */
export function addDocsRoutes(app: FastifyInstance, { slot, modelName }: ModelsOptions): void {
  const routes: Route[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    if (method === 'GET' || method === 'POST') routes.push({ method, url });
  });
  app.get('/openapi.json', () => openApiDocument(routes, { modelName: modelName(), served: slot.current }));
  app.get('/docs', (_, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(PAGE),
  );
}
