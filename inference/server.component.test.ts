import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixturePath, startInference } from '../test/support/inference-rig.ts';
import type { Rig } from '../test/support/inference-rig.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SECRET = 'hunter2-and-more';

let server: Rig;

beforeAll(async () => {
  server = await startInference({
    MODEL_PATH: fixturePath('basket-blue'),
    LOG_LEVEL: 'DEBUG',
    CORS_ORIGINS: 'https://shop.example, http://localhost:3000',
  });
});
afterAll(() => server.stop());

/** What the access log says of a request; it is written when the answer is out. */
async function lineOf(requestId: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = server.logs.find((entry) => entry['msg'] === 'request' && entry['requestId'] === requestId);
    if (line !== undefined) return line;
    await server.get('/live');
  }
}

describe('identity of a request', () => {
  it("goes on in the caller's trace, in the answer and in the log", async () => {
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, 'x-request-id': 'traced' };

    const answer = await server.get('/live', headers);

    const [, spanId] =
      new RegExp(`^00-${TRACE}-([0-9a-f]{16})-01$`).exec(answer.headers.get('traceparent') ?? '') ?? [];
    expect(spanId).toBeDefined();
    expect(spanId).not.toBe(PARENT);
    expect(await lineOf('traced')).toMatchObject({ traceId: TRACE, spanId, parentSpanId: PARENT, status: 200 });
  });

  it.each([[{}], [{ traceparent: 'garbage' }]])('begins no trace by itself with %j', async (headers) => {
    const answer = await server.get('/live', { ...headers, 'x-request-id': `untraced${Object.keys(headers).length}` });

    expect(answer.headers.get('traceparent')).toBeNull();
    expect(await lineOf(`untraced${Object.keys(headers).length}`)).not.toHaveProperty('traceId');
  });

  it.each(['with space', 'x'.repeat(129)])('takes no request id that would spoil a log: %j', async (id) => {
    const answer = await server.get('/live', { 'x-request-id': id });

    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-\w+$/);
  });
});

describe('problems', () => {
  it.each(['/metrics', '/live'])('of %s, which nobody else defines, are told in our own form', async (path) => {
    expect((await server.post(path, {}, { 'x-request-id': 'r-0' })).json).toEqual({
      error: 'Method Not Allowed',
      details: 'Method Not Allowed',
      request_id: 'r-0',
    });
  });

  it('of the admin port name the request', async () => {
    const denied = await fetch(`${server.adminUrl}/model/info`, { headers: { 'x-request-id': 'r-1' } });

    expect([denied.status, await denied.json()]).toEqual([
      401,
      {
        error: 'Unauthorized',
        details: 'This port asks for the bearer token of ADMIN_TOKEN',
        request_id: 'r-1',
      },
    ]);
  });

  it('of a protocol and of the Python service have their own forms', async () => {
    expect((await server.get('/v2/models/none')).json).toEqual({ error: 'Model with name "none" does not exist' });
    expect((await server.post('/v1/models/none:predict', {})).json).toEqual({
      error: 'Model with name "none" does not exist',
    });
    expect((await server.get('/nothing')).json).toEqual({ detail: 'Not Found' });
  });
});

describe('CORS with a list of origins', () => {
  const ask = (origin: string) =>
    fetch(`${server.url}/predict`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });

  it('lets in a page of the list', async () => {
    const preflight = await ask('http://localhost:3000');
    const { headers } = await server.get('/health', { origin: 'https://shop.example' });

    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'http://localhost:3000',
    ]);
    expect(headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(headers.get('access-control-expose-headers')).toContain('X-Model-Version');
    expect(headers.get('vary')).toBe('Origin');
  });

  it('does not let in another', async () => {
    const preflight = await ask('https://evil.example');
    const { headers } = await server.get('/health', { origin: 'https://evil.example' });

    expect([preflight.status, await preflight.text()]).toEqual([400, 'Disallowed CORS origin']);
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('vary')).toBe('Origin');
  });

  it('says nothing of CORS on the admin port', async () => {
    const { headers } = await fetch(`${server.adminUrl}/model/info`, { headers: { origin: 'https://shop.example' } });

    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

it('logs nothing that a client sends but its request id, not even at debug', async () => {
  const headers = { authorization: `Bearer ${SECRET}`, cookie: `session=${SECRET}`, 'x-request-id': 'the-last-one' };
  await server.post(`/predict?token=${SECRET}`, { basket_items: {}, customer_id: SECRET }, headers);
  await server.post('/predict', `{"${SECRET}": `, headers);
  await server.post('/predict', { basket_items: { [SECRET]: { category: SECRET, price: SECRET } } }, headers);
  await server.post('/v2/models/model/infer', { inputs: [{ name: SECRET }] }, headers);
  await server.post(`/v1/models/${SECRET}:predict`, `{${SECRET}`, headers);
  await server.get(`/${SECRET}`, headers);
  await fetch(`${server.adminUrl}/model/reload`, { method: 'POST', headers, body: SECRET });
  await lineOf('the-last-one');

  expect(server.logs.length).toBeGreaterThan(5);
  expect(JSON.stringify(server.logs)).not.toContain(SECRET);
});
