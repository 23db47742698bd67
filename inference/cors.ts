// Cross-origin requests of browsers, answered as Starlette's CORSMiddleware answers them for the Python service.
import type { FastifyReply, FastifyRequest } from 'fastify';

/** All origins, or those of a list. */
export type CorsOrigins = '*' | readonly string[];

const METHODS = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';
const EXPOSED = 'X-Model-Variant, X-Model-Version, X-Request-Id';

/** Headers of every answer to a request that names its origin. */
export function addCorsHeaders(reply: FastifyReply, origin: string | undefined, origins: CorsOrigins): void {
  if (origins !== '*') reply.header('vary', 'Origin');
  const allowed = allowedOrigin(origin, origins);
  if (allowed === undefined) return;
  reply.header('access-control-allow-origin', allowed).header('access-control-expose-headers', EXPOSED);
}

function allowedOrigin(origin: string | undefined, origins: CorsOrigins): string | undefined {
  if (origin === undefined) return undefined;
  if (origins === '*') return origins;
  return origins.includes(origin) ? origin : undefined;
}

/** Answers a preflight; undefined for any other request. */
export function answerPreflight(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  origins: CorsOrigins,
): FastifyReply | undefined {
  const { origin, 'access-control-request-method': asked, 'access-control-request-headers': wanted } = headers;
  if (method !== 'OPTIONS' || origin === undefined || asked === undefined) return undefined;
  reply.type('text/plain; charset=utf-8');
  if (allowedOrigin(origin, origins) === undefined) return reply.code(400).send('Disallowed CORS origin');
  reply.header('access-control-allow-methods', METHODS).header('access-control-max-age', '600');
  if (wanted !== undefined) reply.header('access-control-allow-headers', wanted);
  return reply.send('OK');
}
