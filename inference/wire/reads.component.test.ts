// What is read stays what it is, although all connections are read into one buffer.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { opened, rawRequest, reply, startEcho } from '../../test/support/wire-echo.ts';
import type { Echo } from '../../test/support/wire-echo.ts';
import { canTakeReads, takeReads } from './reads.ts';

const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f'];
const PART = 100;

let echo: Echo;

beforeAll(async () => {
  echo = await startEcho();
});
afterAll(() => echo.close());

describe('bodies that come in parts, of several connections in turns', () => {
  const bodies = ['0', '1', '2', '3', '4', '5', '6', '7'].map((at) => partsNamed(at).join(''));
  const partsOf = (body: string, ...fields: readonly string[]) => {
    const first = rawRequest(body, ...fields).slice(0, PART - body.length);
    return [first, ...LETTERS.slice(1).map((_, at) => body.slice((at + 1) * PART, (at + 2) * PART))];
  };

  it.each([
    { way: 'the short way', fields: [], short: bodies.length },
    { way: 'node:http', fields: ['Origin: x'], short: 0 },
  ])('are not mixed up by $way', async ({ fields, short }) => {
    const before = echo.answered;
    const answers = await Promise.all(bodies.map((body) => reply(echo.wire, ...partsOf(body, ...fields))));

    for (const [at, answer] of answers.entries()) expect(answer).toContain(`"${bodies[at]}"`);
    expect(echo.answered - before).toBe(short);
  });
});

it('who upgrades a connection gets what is read from it', async () => {
  echo.wire.once('upgrade', (_request, socket: Duplex, head: Buffer) => {
    setTimeout(() => socket.write(head), 20);
    socket.on('data', (bytes: Buffer) => setTimeout(() => socket.write(bytes), 20));
    socket.on('end', () => setTimeout(() => socket.end(), 40));
  });
  const [client, other] = [await opened(echo.wire), await opened(echo.wire)];
  client.write(`${UPGRADE}zero `);
  for (const part of ['one ', 'two ', 'three']) {
    await sleep(5);
    client.write(part);
    other.write(rawRequest('x'.repeat(1_000)));
  }
  client.end();

  expect(await text(client)).toBe('zero one two three');
  other.destroy();
});

it('a connection that is no socket is left to node:http', async () => {
  const [client, server] = duplexPair();
  const before = echo.answered;
  echo.wire.emit('connection', server);
  client.write(rawRequest('{"a":12}'));
  const [answer] = (await once(client, 'data')) as [Buffer];

  expect(answer.toString()).toContain('HTTP/1.1 200 OK');
  expect(echo.answered).toBe(before);
});

describe('this Node', () => {
  let server: Server;

  beforeAll(async () => {
    server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(() => server.close());

  it('has the way that is taken here, and stops to read when it is told to', async () => {
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
    const [socket] = await connected;
    const seen: string[] = [];
    expect(canTakeReads(socket)).toBe(true);
    takeReads(socket, (bytes) => seen.push(bytes.toString()) > 1);

    for (const part of ['a', 'b', 'c']) {
      client.write(part);
      await sleep(20);
    }
    expect(seen).toEqual(['a']);
    socket.resume();
    await sleep(20);
    expect(seen).toEqual(['a', 'bc']);
    client.destroy();
  });
});

function partsNamed(name: string): string[] {
  return LETTERS.map((letter) => `${letter}${name}`.repeat(PART / 2));
}
