import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN, fixturePath, startInference } from '../test/support/inference-rig.ts';
import type { Rig } from '../test/support/inference-rig.ts';

let server: Rig;

beforeAll(async () => {
  server = await startInference({ MODEL_PATH: fixturePath('iris-sk132'), MODEL_DEPLOYMENT: 'iris' });
});
afterAll(() => server.stop());

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: unknown;
}

/** Sends these lines as they are: fetch would mend them. */
async function send(base: string, ...lines: readonly string[]): Promise<Answer> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: JSON.parse(body) };
}

const open = (line: string) => send(server.url, `${line} HTTP/1.1`, 'Host: a');
const admin = (line: string) => send(server.adminUrl, `${line} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${TOKEN}`);

describe('another method than the address has', () => {
  it.each([
    ['PUT /predict', 'POST', { detail: 'Method Not Allowed' }],
    ['POST /model/info?x=1', 'GET', { detail: 'Method Not Allowed' }],
    ['POST /v2', 'GET', { error: 'Method Not Allowed' }],
    ['POST /v2/models/iris', 'GET', { error: 'Method Not Allowed' }],
    ['GET /v2/models/iris/infer', 'POST', { error: 'Method Not Allowed' }],
    ['DELETE /v2/models/iris/versions/1/infer', 'POST', { error: 'Method Not Allowed' }],
    ['DELETE /v1/models/iris', 'GET, POST', { error: 'Method Not Allowed' }],
  ])('%s is told which it has: %s', async (line, allow, body) => {
    const answer = await open(line);

    expect(answer).toMatchObject({ status: 405, body });
    expect(answer.head).toMatch(new RegExp(`^allow: ${allow}$`, 'm'));
  });

  it('on the admin port too', async () => {
    const answer = await admin('GET /model/reload');

    expect(answer).toMatchObject({ status: 405, body: { error: 'Method Not Allowed' } });
    expect(answer.head).toMatch(/^allow: POST$/m);
  });
});

describe('an address that there is not', () => {
  it.each([
    ['GET /nope', 404, { detail: 'Not Found' }],
    ['GET /predict/', 404, { detail: 'Not Found' }],
    ['GET /v2/nope', 404, { error: 'Not Found' }],
    ['GET /v2/models//infer', 404, { error: 'Not Found' }],
    ['GET /%zz', 400, { detail: "'/%zz' is not a valid url component" }],
    ['GET /v2/%zz', 400, { error: "'/v2/%zz' is not a valid url component" }],
    [`GET /v2/models/${'a'.repeat(600)}`, 414, { error: expect.stringContaining('max param length') as string }],
  ])('%s', async (line, status, body) => {
    const answer = await open(line);

    expect({ status: answer.status, body: answer.body }).toEqual({ status, body });
    expect(answer.head).toMatch(/^x-request-id: \S+$/m);
  });

  it.each([
    ['GET /nope', 404, 'Not Found'],
    ['GET /%zz', 400, "'/%zz' is not a valid url component"],
  ])('admin port: %s', async (line, status, details) => {
    expect(await admin(line)).toMatchObject({ status, body: { details, request_id: expect.any(String) as string } });
  });

  it('is told to nobody without the token', async () => {
    expect((await send(server.adminUrl, 'GET /nope HTTP/1.1', 'Host: a')).status).toBe(401);
  });
});

describe('what is no request', () => {
  it.each([
    [['GET / HTTP/1.1', 'Host a'], 400, 'Invalid HTTP request received.'],
    [['FOO / HTTP/1.1', 'Host: a'], 400, 'Invalid HTTP request received.'],
    [['GET / HTTP/1.1', `X: ${'y'.repeat(20_000)}`], 431, 'Request Header Fields Too Large'],
  ])('%#', async (lines, status, detail) => {
    expect(await send(server.url, ...lines)).toMatchObject({ status, body: { detail } });
    expect(await send(server.adminUrl, ...lines)).toMatchObject({ status, body: { details: detail } });
  });
});
