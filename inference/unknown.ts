// What no route answers: a known address with another method (405 and what it does take), or an unknown address (404).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from './errors.ts';

interface Known {
  readonly method: string;
  /** Parts between slashes; one that begins with a colon stands for anything. */
  readonly parts: readonly string[];
}

/** Answers what none of the routes that are added after it does. `first` may take a request, as CORS does. */
export function addUnknownAnswers(
  app: FastifyInstance,
  first?: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined,
): void {
  const routes: Known[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) if (each !== 'HEAD') routes.push({ method: each, parts: url.split('/') });
  });
  app.setNotFoundHandler((request, reply) => {
    const taken = first?.(request, reply);
    if (taken !== undefined) return taken;
    const allowed = methodsOf(routes, request.url.split('?', 1)[0] ?? '');
    if (allowed.length === 0) return reply.send(new HttpError(404, 'Not Found'));
    return reply.header('allow', allowed.join(', ')).send(new HttpError(405, 'Method Not Allowed'));
  });
}

/** As FastAPI has it: the methods that were asked for, so no HEAD. */
function methodsOf(routes: readonly Known[], path: string): readonly string[] {
  const parts = path.split('/');
  const matching = routes.filter((route) => matches(route.parts, parts));
  return [...new Set(matching.map(({ method }) => method))].toSorted();
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  if (pattern.length !== parts.length) return false;
  return pattern.every((part, at) => (part.startsWith(':') ? parts[at] !== '' : part === parts[at]));
}
