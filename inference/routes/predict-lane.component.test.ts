// All ways of POST /predict give the same answers: straight from the socket, from node:http on a connection that has had another kind of request, and through the
// framework, where a traceparent sends a request.
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anArchive } from '../../test/support/an-archive.ts';
import { fixturePath, startInference, type Rig } from '../../test/support/inference-rig.ts';

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const JSON_TYPE = { 'content-type': 'application/json' };
/** What differs from request to request. */
const PASSING = /"(prediction_id|timestamp)":"[^"]*"/g;

let rig: Rig;

beforeAll(async () => {
  rig = await startInference({ MODEL_PATH: fixturePath('basket-blue'), VARIANT: 'blue', MAX_BODY_BYTES: '20000' });
});
afterAll(() => rig.stop());

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Without fetch, which adds headers of its own. On a connection of its own, unless `agent` has one. */
async function send(
  body: string,
  headers: Record<string, string>,
  agent = new Agent({ keepAlive: true }),
  { url } = rig,
): Promise<Answer> {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = request(`${url}/predict`, { method: 'POST', headers: { ...length, ...headers }, agent });
  call.on('error', reject);
  call.on('response', (response) => {
    const { 'x-request-id': id, ...headersOfAnswer } = response.headers;
    const others = Object.entries(headersOfAnswer).filter(([name]) => name !== 'date' && name !== 'traceparent');
    text(response).then((answer) => {
      const same = answer.replaceAll(PASSING, '"$1":""').replaceAll(String(id), 'ID');
      resolve({ status: response.statusCode, headers: Object.fromEntries(others), body: same });
    }, reject);
  });
  call.end(body);
  return promise.finally(() => agent.destroy());
}

/** With a connection that node:http has. */
async function usedAgent(): Promise<Agent> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = request(`${rig.url}/live`, { agent }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  await text(response);
  return agent;
}

describe.each<[string, string, Record<string, string>]>([
  ['a basket', '{"basket_items":{"a":{"price":2,"quantity":3,"category":"dairy"}},"customer_id":"é"}', JSON_TYPE],
  ['an empty basket', '{"basket_items":{}}', JSON_TYPE],
  ['a basket that Python cannot count', '{"basket_items":{"a":7}}', JSON_TYPE],
  ['a body without a basket', '{"items":{}}', JSON_TYPE],
  ['what is no JSON', '{"basket_items":', JSON_TYPE],
  ['no body', '', JSON_TYPE],
  ['text that is not UTF-8', '{"basket_items":{"\u00ff":{}}}', { 'content-type': 'text/plain' }],
  ['no content type', '{"basket_items":{}}', {}],
  ['a body that is too large', JSON.stringify({ basket_items: {}, note: 'x'.repeat(20_000) }), JSON_TYPE],
  ['a body of several packets', JSON.stringify({ basket_items: {}, note: 'x'.repeat(19_000) }), JSON_TYPE],
])('%s', (_, body, headers) => {
  it('is answered alike all ways', async () => {
    const answer = await send(body, headers);

    expect(await send(body, headers, await usedAgent())).toEqual(answer);
    expect(await send(body, { ...headers, ...TRACE })).toEqual(answer);
  });
});

it('is answered alike by a model whose version is blank', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'switchyard-lane-'));
  const model = await readFile(fixturePath('iris-bare', 'model.joblib'));
  const metadata = { version: ' ', features: ['a', 'b', 'c', 'd'] };
  const archive = await anArchive([
    ['model.joblib', model],
    ['metadata.json', JSON.stringify(metadata)],
  ]);
  await writeFile(join(dir, 'model.tar.gz'), archive);
  const blank = await startInference({ MODEL_PATH: join(dir, 'model.tar.gz') });
  try {
    const ask = (headers: Record<string, string>) =>
      send('{"basket_items":{}}', headers, new Agent({ keepAlive: true }), blank);

    const answer = await ask(JSON_TYPE);
    expect(answer).toMatchObject({ headers: { 'content-type': 'application/json', 'x-model-version': '' } });
    expect(await ask({ ...JSON_TYPE, ...TRACE })).toEqual(answer);
  } finally {
    await blank.stop();
    await rm(dir, { recursive: true });
  }
});

it('keeps the id that a client gives', async () => {
  const answer = await rig.post('/predict', { basket_items: {} }, { 'x-request-id': 'mine-1' });

  expect(answer.headers.get('x-request-id')).toBe('mine-1');
});

it('counts its predictions and failures with all others', async () => {
  const before = rig.app.served();

  await send('{"basket_items":{}}', JSON_TYPE);
  await send('{"basket_items":{}}', { ...JSON_TYPE, ...TRACE });
  await send('{}', JSON_TYPE);

  expect(rig.app.served() - before).toBe(2);
});

describe('on one connection', () => {
  const basket = '{"basket_items":{"a":{}}}';
  const raw = (body: string, id: string) =>
    `POST /predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nx-request-id: ${id}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

  /** What comes back until `count` answers have come. */
  async function answers(socket: Socket, count: number): Promise<string> {
    let received = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received += chunk.toString();
      if (received.split('"timestamp"').length > count) break;
    }
    return received;
  }

  async function opened(): Promise<Socket> {
    const socket = connect(Number(new URL(rig.url).port), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  it('answers requests that come in one packet, in their order, whichever way each goes', async () => {
    const socket = await opened();
    socket.write(
      raw(basket, 'one') + raw(basket, 'two').replace('host', 'origin: http://b\r\nhost') + raw(basket, 'three'),
    );

    const received = await answers(socket, 3);

    expect([...received.matchAll(/x-request-id: (\w+)/g)].map(([, id]) => id)).toEqual(['one', 'two', 'three']);
    expect(received.match(/HTTP\/1.1 200 OK/g)).toHaveLength(3);
  });

  it('answers a request that comes byte by byte', async () => {
    const socket = await opened();
    socket.setNoDelay(true);
    for (const byte of raw(basket, 'slow')) {
      socket.write(byte);
      await new Promise(setImmediate);
    }

    expect(await answers(socket, 1)).toContain('"sensitivity"');
  });

  it('is ready for others when a client leaves in the middle of a body', async () => {
    const before = rig.app.served();
    const socket = await opened();
    socket.write(raw(basket, 'gone').slice(0, -5));
    socket.destroy();
    await once(socket, 'close');

    expect((await rig.post('/predict', { basket_items: {} })).status).toBe(200);
    expect(rig.app.served() - before).toBe(1);
  });
});
