import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, until } from '../../test/support/fake-clock.ts';
import { createReloadClient, reloadOutcome, type ReloadClient } from './reload-client.ts';
import { createRouterClient } from './router-client.ts';

const ACTIVE = { revision: 'a1b2c3d4', version: '1.0', key: 'a', sha256: 'b'.repeat(64) };
const INFO = {
  version: '1.0',
  model_type: 'RandomForestClassifier',
  features: ['a'],
  metrics: {},
  loaded_at: '2026-01-02T03:04:05Z',
  artifact: ACTIVE,
  variant: 'blue',
  sequence: 3,
};

let server: Server;
let clock: FakeClock;
let client: ReloadClient;
let respond: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let sockets: Set<unknown>;

beforeEach(async () => {
  sockets = new Set();
  server = createServer((request, response) => {
    sockets.add(request.socket);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => respond(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  clock = new FakeClock();
  client = createReloadClient({ clock, addressOf: () => address() });
});

afterEach(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function address() {
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port };
}

const options = { signal: new AbortController().signal, deadlineMs: 2000 };
const answering = (status: number, body: unknown) => (_request: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('reload', () => {
  it('sends sequence, token and version, and tells that it is loaded', async () => {
    const seen: unknown[] = [];
    respond = (request, response, body) => {
      seen.push(request.method, request.url, request.headers.authorization, JSON.parse(body));
      answering(200, { status: 'loaded', durationMs: 12, active: ACTIVE })(request, response);
    };

    const outcome = await client.reload('10.0.0.1', 'secret', { sequence: 4, key: 'a' }, options);

    expect(outcome).toEqual({ kind: 'loaded' });
    expect(seen).toEqual(['POST', '/model/reload', 'Bearer secret', { sequence: 4, key: 'a' }]);
  });

  const error = (reason: string) => ({ active: ACTIVE, error: { reason, message: 'why' } });
  it.each([
    ['unchanged', 200, { status: 'unchanged', active: ACTIVE }, 'unchanged'],
    ['still loading', 202, { status: 'loading', active: null }, 'loading'],
    ['a bad artifact', 422, error('ChecksumMismatch'), 'refused'],
    ['a lower sequence', 409, error('StaleSequence'), 'stale'],
    ['a newer call in between', 409, error('Superseded'), 'stale'],
    ['a store out of reach', 502, error('StoreUnreachable'), 'store'],
    ['a wrong request', 400, error('InvalidRequest'), 'unreachable'],
    ['a wrong token', 401, { message: 'Unauthorized' }, 'unreachable'],
    ['a page of a proxy', 404, undefined, 'unreachable'],
    ['success without a model', 200, {}, 'unreachable'],
    ['an error with the word of a success', 500, { status: 'loaded', active: ACTIVE }, 'unreachable'],
  ])('%s (%d)', (_what, status, body, kind) => {
    expect(reloadOutcome({ status, body }).kind).toBe(kind);
  });

  it('carries the reason of a refusal, with a message of bounded length', () => {
    const body = { active: null, error: { reason: 'LoadFailed', message: 'x'.repeat(1000) } };

    expect(reloadOutcome({ status: 422, body })).toEqual({
      kind: 'refused',
      reason: 'LoadFailed',
      message: 'x'.repeat(256),
    });
  });
});

describe('info', () => {
  it('is what the pod reports, also while it has no model', async () => {
    const failure = { reason: 'LoadFailed', message: 'why', sequence: 3 };
    respond = answering(503, { ...INFO, version: null, artifact: null, failure });

    const outcome = await client.info('10.0.0.1', 'secret', options);

    expect(outcome).toMatchObject({ kind: 'info', info: { artifact: null, failure } });
  });

  it('of a pod that was started with another token is told apart from silence', async () => {
    respond = answering(401, { message: 'Unauthorized' });
    expect(await client.info('10.0.0.1', 'secret', options)).toEqual({ kind: 'unauthorized' });
  });

  it('uses one connection for several calls', async () => {
    respond = answering(200, INFO);

    for (let call = 0; call < 3; call += 1) await client.info('10.0.0.1', 'secret', options);

    expect(sockets.size).toBe(1);
  });

  it('refuses an answer without end', async () => {
    respond = (_request, response) => {
      response.writeHead(200);
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65536)));
      };
      response.on('drain', write);
      write();
    };

    const outcome = await client.info('10.0.0.1', 'secret', options);

    expect(outcome).toMatchObject({ kind: 'unreachable' });
    expect(JSON.stringify(outcome)).toContain('larger than');
  });

  it('is given up at the deadline', async () => {
    let asked = false;
    respond = () => (asked = true);
    const call = client.info('10.0.0.1', 'secret', options);
    await until(() => asked);

    await clock.advance(2000);

    expect(await call).toEqual({ kind: 'unreachable', message: '/model/info: no answer within 2000 ms' });
  });

  it('throws when the caller gives up', async () => {
    let asked = false;
    respond = () => (asked = true);
    const caller = new AbortController();
    const call = client.info('10.0.0.1', 'secret', { ...options, signal: caller.signal });
    await until(() => asked);

    caller.abort(new Error('shutting down'));

    await expect(call).rejects.toThrow('shutting down');
  });

  it('says why a pod cannot be reached', async () => {
    const closed = createReloadClient({ clock, addressOf: () => ({ host: '127.0.0.1', port: 1 }) });

    const outcome = await closed.info('10.0.0.1', 'secret', options);

    expect(outcome).toEqual({ kind: 'unreachable', message: '/model/info: ECONNREFUSED', isRefused: true });
  });
});

it('drain sends its id and tells how many connections remain', async () => {
  let sent = '';
  respond = (request, response, body) => {
    sent = `${request.url ?? ''} ${body}`;
    answering(200, { id: 'd1', remaining: 7 })(request, response);
  };

  const outcome = await client.drain('10.0.0.1', 'secret', 'd1', options);

  expect(outcome).toEqual({ kind: 'draining', remaining: 7 });
  expect(sent).toBe('/drain {"id":"d1"}');
});

describe('the router', () => {
  const applied = {
    generation: 2,
    checksum: 'c',
    slots: [{ slot: 0, variant: 'blue', servers: 1, buckets: 10_000, skipped: false }],
  };

  it.each([
    [200, applied, { kind: 'applied', applied }],
    [503, applied, { kind: 'unreachable', message: '/applied answered 503 in an unknown form' }],
    [200, { generation: 'two' }, { kind: 'unreachable', message: '/applied answered 200 in an unknown form' }],
  ])('answers %d', async (status, body, expected) => {
    respond = answering(status, body);
    const router = createRouterClient({ clock, addressOf: () => address() });

    const outcome = await router.applied('10.0.0.1', options);

    router.close();
    expect(outcome).toEqual(expected);
  });
});
