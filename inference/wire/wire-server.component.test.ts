// Whatever comes on a connection is answered as node:http by itself answers it, byte for byte.
import { once } from 'node:events';
import { Server } from 'node:http';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { WireServer } from './wire-server.ts';
import type { PlainRoute } from './wire-connection.ts';

const LINE = 'POST /predict HTTP/1.1\r\n';
const KEEP_ALIVE_MS = 1_000;
const DATE = /Date: [^\r]*/g;
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';
const ANSWER = 'content-type: application/json\r\n';

/** Answered by the short way. */
let answered = 0;
let leaving = false;
let wire: WireServer;
let usual: Server;

function echo(method: string | undefined, body: string, type: unknown, id: unknown): string {
  return JSON.stringify({ method, body, type: type ?? null, id: id ?? null });
}

const route: PlainRoute = {
  line: Buffer.from(LINE),
  maxBodyBytes: 100_000,
  date: () => new Date().toUTCString(),
  isLeaving: () => leaving,
  answer({ contentType, requestId }, body) {
    answered += 1;
    if (contentType === 'large') return { status: 200, headers: ANSWER, json: 'x'.repeat(2 ** 20) };
    const json = echo('POST', body.toString('latin1'), contentType, requestId);
    return { status: body.length === 7 ? 422 : 200, headers: ANSWER, json };
  },
};

const listener: RequestListener = (request, response) => {
  const { method, headers } = request;
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString('latin1');
    const json = echo(method, body, headers['content-type'], headers['x-request-id']);
    const length = String(Buffer.byteLength(json));
    response.writeHead(body.length === 7 ? 422 : 200, ['content-type', 'application/json', 'content-length', length]);
    response.end(json);
  });
};

beforeAll(async () => {
  const options = { keepAliveTimeout: KEEP_ALIVE_MS };
  [wire, usual] = [new WireServer(options, listener, route), new Server(options, listener)];
  for (const server of [wire, usual]) await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  for (const server of [wire, usual]) server.close().closeAllConnections();
});

async function opened(server: Server): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes back when these are sent, a little apart, and no more. */
async function reply(server: Server, parts: readonly Buffer[]): Promise<string> {
  const socket = await opened(server);
  const received = text(socket).catch((error: unknown) => String(error));
  for (const [at, part] of parts.entries()) {
    if (at > 0) await sleep(5);
    if (socket.writable) socket.write(part);
  }
  socket.end();
  return (await received).replaceAll(DATE, 'Date: now');
}

async function expectSame(...parts: readonly string[]): Promise<string> {
  const bytes = parts.map((part) => Buffer.from(part, 'latin1'));
  const [mine, theirs] = await Promise.all([reply(wire, bytes), reply(usual, bytes)]);
  const refused = theirs.endsWith(BAD_REQUEST) ? BAD_REQUEST : '';
  // node:http drops an answer that it is about to write when it cannot read what follows.
  if (refused !== '' && mine.endsWith(refused)) expect(mine).toContain(theirs.slice(0, -refused.length));
  else expect(mine, JSON.stringify(parts)).toBe(theirs);
  return mine;
}

function request(body: string, ...fields: readonly string[]): string {
  const lines = ['Host: a', `Content-Length: ${body.length}`, ...fields];
  return `${LINE}${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}

const FIELDS = [
  'Content-Type: application/json',
  'content-type:\ttext/plain; charset=utf-8 ',
  'CONTENT-TYPE: ',
  'X-Request-Id: a-1',
  'x-request-id:  b ',
  'Accept: */*',
  'Connection: keep-alive',
  'connection: Keep-Alive',
  'User-Agent: caf\u00e9',
  'cookie: a=b; c="d"',
];
const UNUSUAL = [
  'Connection: close',
  'Connection: keep-alive, x',
  'Connection: upgrade',
  'Content-Length: 3',
  'Content-Length: +2',
  'Content-Length : 2',
  'Content-Length: 2, 2',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Expect: 100-continue',
  'Host: b',
  'x-request-id: twice',
  'Content-Type: twice',
  'Proxy-Connection: close',
  ' folded',
  'no colon',
  ': no name',
  'na me: x',
  'x\u00e9: y',
  'x: \u0001',
  'x: \u007f',
  'x: y\rz: 1',
  'x: y\nz: 1',
];

describe('one request', () => {
  it.each(FIELDS)('with %j goes the short way', async (field) => {
    const before = answered;
    const answer = await expectSame(request('{"a":1} \u00ff', field));

    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(answered - before).toBe(1);
  });

  it.each(UNUSUAL)('with %j is answered as node:http answers it', async (field) => {
    await expectSame(request('{}', field));
    await expectSame(`${LINE}Host: a\r\n${field}\r\n\r\n{}`);
  });

  it.each([
    LINE,
    'POST /predict HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}',
    'GET /predict HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /predict?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    `${LINE}Content-Length: 2\r\n\r\n{}`,
    `${LINE}Host: a\r\n\r\n`,
    `\r\n${request('{}')}`,
    request('{}').replaceAll('\r\n', '\n'),
    request('{}').slice(0, -1),
    request('{}').slice(0, 40),
    request('{}', `x: ${'y'.repeat(5_000)}`),
    request('{}', `x: ${'y'.repeat(20_000)}`),
    request('', 'Accept: */*'),
    request('1234567'),
    request('x'.repeat(90_000)),
    'nonsense\r\n\r\n',
    '',
  ])('%#', async (raw) => {
    await expectSame(raw);
  });
});

describe('the head by itself', () => {
  it('is waited for by the short way', async () => {
    const before = answered;
    const [head, body] = [request('{"a":1}').slice(0, -7), '{"a":1}'];
    await expectSame(head, `${body}${head}`, body);

    expect(answered - before).toBe(2);
  });

  it('with a body in many parts too', async () => {
    const before = answered;
    const whole = request('x'.repeat(90_000));
    await expectSame(...Array.from({ length: 10 }, (_, part) => whole.slice(part * 10_000, (part + 1) * 10_000)));

    expect(answered - before).toBe(1);
  });

  it('goes to node:http when the rest is slow', async () => {
    const before = answered;
    const whole = request('{"a":1}');
    const socket = await opened(wire);
    socket.write(whole.slice(0, -7));
    for (const byte of whole.slice(-7)) {
      await sleep(500);
      socket.write(byte);
    }
    socket.end();

    expect(await text(socket)).toContain('HTTP/1.1 422');
    expect(answered).toBe(before);
  });

  it('goes to node:http when nothing follows for long', async () => {
    const whole = request('{"a":1}');
    const socket = await opened(wire);
    socket.write(whole.slice(0, -3));
    await sleep(2_500);
    socket.end(whole.slice(-3));

    expect(await text(socket)).toContain('HTTP/1.1 422');
  });
});

describe('several requests', () => {
  it('in one packet are answered in their order, whichever way each goes', async () => {
    const one = (id: string, ...more: string[]) => request('{}', `x-request-id: ${id}`, ...more);
    const answer = await expectSame(one('1') + one('2') + one('3', 'expect: 100-continue') + one('4'));

    expect([...answer.matchAll(/"id":"(\d)"/g)].map(([, id]) => id)).toEqual(['1', '2', '3', '4']);
  });

  it('that nobody reads the answers of are not read for ever', async () => {
    const socket = await opened(wire);
    socket.pause();
    const before = answered;
    for (let sent = 0; sent < 60; sent += 1) {
      socket.write(request('{}', 'Content-Type: large'));
      await sleep(5);
    }

    expect(answered - before).toBeLessThan(30);
    socket.end();
    expect((await text(socket)).match(/HTTP\/1.1 200 OK/g)).toHaveLength(60);
    expect(answered - before).toBe(60);
  });
});

it('are answered alike whatever is wrong with them, by two thousand random faults', async () => {
  const random = seededRandom(11);
  const any = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)]!;
  const fault = (raw: string) => {
    const at = Math.floor(random() * raw.length);
    const byte = String.fromCharCode(random() < 0.5 ? any([0, 9, 10, 13, 32, 44, 48, 58]) : Math.floor(random() * 256));
    return any([
      () => raw.slice(0, at) + byte + raw.slice(at),
      () => raw.slice(0, at) + raw.slice(at + 1),
      () => raw.slice(0, at) + byte + raw.slice(at + 1),
      () => raw.slice(0, at),
      () => raw,
    ])();
  };
  const one = () => {
    const fields = Array.from({ length: Math.floor(random() * 4) }, () => any(random() < 0.8 ? FIELDS : UNUSUAL));
    return request('{"a":1}'.repeat(Math.floor(random() * 3)), ...fields);
  };
  const before = answered;
  for (let round = 0; round < 100; round += 1) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const raw = fault(one() + (random() < 0.4 ? one() : ''));
        const cut = random() < 0.3 ? Math.floor(random() * raw.length) : raw.length;
        await expectSame(...[raw.slice(0, cut), raw.slice(cut)].filter((part) => part !== ''));
      }),
    );
  }
  expect(answered - before).toBeGreaterThan(500);
}, 60_000);

describe('an end', () => {
  it('comes to idle connections, and not to those that wait for an answer', async () => {
    const [idle, busy] = [await opened(wire), await opened(wire)];
    const whole = request('{"a":1}');
    busy.write(whole.slice(0, -3));
    await sleep(50);
    wire.closeIdleConnections();
    await once(idle.resume(), 'close');
    busy.end(whole.slice(-3));

    expect(await text(busy)).toContain('HTTP/1.1 422');
  });

  it('comes to a connection that has been idle for the keep-alive time', async () => {
    const socket = await opened(wire);
    socket.write(request('{}'));
    const received = await text(socket);

    expect(received).toContain('Keep-Alive: timeout=1');
  });

  it('comes with the answer when the server is leaving', async () => {
    leaving = true;
    const socket = await opened(wire);
    socket.write(request('{}') + request('{}'));
    const received = await text(socket);
    leaving = false;

    expect(received.match(/HTTP\/1.1 200 OK/g)).toHaveLength(1);
    expect(received).toContain('Connection: close');
  });
});
