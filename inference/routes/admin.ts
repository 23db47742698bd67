// The admin port: reload, drain, what is loaded, and the kept artifacts for sibling pods. Everything asks for the bearer token. See contract.ts.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type * as z from 'zod';
import { DrainRequest, ReloadRequest } from '../contract.ts';
import type { ReloadAnswer } from '../contract.ts';
import { HttpError, LoadError, failureOf, loadErrorOf, statusOf } from '../errors.ts';
import type { Artifacts } from '../model/artifacts.ts';
import type { LoadStatus } from '../model/load-request.ts';
import type { Slot } from '../model/slot.ts';
import { addUnknownAnswers } from '../unknown.ts';
import { jsonObject } from './models.ts';
import { modelInfo } from './metadata.ts';

export interface AdminOptions {
  readonly slot: Slot;
  readonly artifacts: Artifacts;
  /** How many of the connections that were open when `id` was first asked for still are. */
  readonly connections: { drain(id: string): number | Promise<number> };
  readonly variant: string;
  readonly token: string;
  readonly modelName: () => string;
  /** Where another process answers: looks what it serves, before that is reported. */
  readonly look?: () => Promise<void>;
}

export function addAdminRoutes(app: FastifyInstance, options: AdminOptions): void {
  const { slot, artifacts, connections, variant, modelName, look } = options;
  addTokenCheck(app, options.token);
  addUnknownAnswers(app);
  app.get('/model/info', async () => {
    await look?.();
    return modelInfo(slot, variant);
  });
  app.post('/model/reload', (request, reply) => reload(slot, request.body, reply));
  app.post<{ Params: { name: string } }>('/v2/repository/models/:name/load', (request, reply) => {
    if (request.params.name !== modelName()) throw new HttpError(404, 'There is no such model');
    return reload(slot, request.body, reply);
  });
  app.post('/drain', async (request) => {
    const { id } = parsed(DrainRequest, request.body);
    return { id, remaining: await connections.drain(id) };
  });
  app.get<{ Params: { sha256: string } }>('/artifacts/:sha256', async (request, reply) => {
    const found = await artifacts.find(request.params.sha256);
    if (found === undefined) throw new HttpError(404, 'This pod does not have that artifact');
    return reply
      .header('content-length', found.size)
      .type('application/octet-stream')
      .send(createReadStream(found.path, { highWaterMark: 256 * 1024 }));
  });
}

function addTokenCheck(app: FastifyInstance, token: string): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  app.addHook('onRequest', (request, _, done) => {
    const isRight = timingSafeEqual(digest(request.headers.authorization ?? ''), expected);
    done(isRight ? undefined : new HttpError(401, 'This port asks for the bearer token of ADMIN_TOKEN'));
  });
}

/** 200 when it is done within `wait`, 202 while it goes on, else the failure with its status. */
async function reload(slot: Slot, body: unknown, reply: FastifyReply): Promise<FastifyReply> {
  const start = performance.now();
  const answer = (status: number, more: Partial<ReloadAnswer>) =>
    reply.code(status).send({ ...more, active: slot.current?.active ?? null, durationMs: performance.now() - start });
  try {
    const { wait, ...request } = parsed(ReloadRequest, body);
    const status = await within(slot.load(request), wait * 1000);
    return await answer(status === 'loading' ? 202 : 200, { status });
  } catch (error) {
    const failure = asLoadError(error);
    if (failure.reason === 'InternalError') reply.log.error({ err: error }, 'reload failed');
    return answer(statusOf(failure.reason), { error: failureOf(failure) });
  }
}

async function within(load: Promise<LoadStatus>, ms: number): Promise<LoadStatus | 'loading'> {
  const stop = new AbortController();
  const late = sleep(ms, 'loading' as const, { signal: stop.signal });
  late.catch(() => undefined);
  load.catch(() => undefined); // a failure after the 202 is told by /model/info
  try {
    return await Promise.race([load, late]);
  } finally {
    stop.abort();
  }
}

/** The body by its schema. Throws LoadError InvalidRequest. */
function parsed<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  const result = schema.safeParse(jsonObject(body));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new LoadError('InvalidRequest', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

function asLoadError(error: unknown): LoadError {
  return error instanceof HttpError ? new LoadError('InvalidRequest', error.message) : loadErrorOf(error);
}
