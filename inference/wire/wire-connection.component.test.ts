// How connections of plain requests come to their end, and what slow clients get.
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HUGE, LARGE, opened, rawRequest, startEcho } from '../../test/support/wire-echo.ts';
import type { Echo } from '../../test/support/wire-echo.ts';

const WHOLE = rawRequest('{"a":1}');
const [HEAD, BODY] = [WHOLE.slice(0, -7), WHOLE.slice(-7)];

let echo: Echo;

beforeAll(async () => {
  echo = await startEcho();
});
afterAll(() => echo.close());

describe('the rest of a body', () => {
  it('that comes slowly is left to node:http', async () => {
    const before = echo.answered;
    const socket = await opened(echo.wire);
    socket.write(HEAD);
    for (const byte of BODY) {
      await sleep(80);
      socket.write(byte);
    }
    socket.end();

    expect(await text(socket)).toContain('HTTP/1.1 422');
    expect(echo.answered).toBe(before);
  });

  it('that does not come for long too', async () => {
    const before = echo.answered;
    const socket = await opened(echo.wire);
    socket.write(HEAD);
    await sleep(500);
    socket.end(BODY);

    expect(await text(socket)).toContain('HTTP/1.1 422');
    expect(echo.answered).toBe(before);
  });
});

describe('answers that nobody reads', () => {
  it('are made for a part of the requests, and for the others when they have been read', async () => {
    const socket = await opened(echo.wire);
    socket.pause();
    const before = echo.answered;
    for (let sent = 0; sent < 60; sent += 1) {
      socket.write(rawRequest('{}', LARGE));
      await sleep(5);
    }

    expect(echo.answered - before).toBeLessThan(30);
    socket.end();
    expect((await text(socket)).match(/HTTP\/1.1 200 OK/g)).toHaveLength(60);
    expect(echo.answered - before).toBe(60);
  });

  it('are made for what came with the request before, whatever has come on other connections meanwhile', async () => {
    const [socket, other] = [await opened(echo.wire), await opened(echo.wire)];
    socket.pause();
    const ids = ['1', '2', '3', '4', '5', '6', '7', '8'].map((id) => `X-Request-Id: ${id}`);
    socket.write(rawRequest('{}', LARGE).repeat(8) + ids.map((id) => rawRequest('{}', id)).join(''));
    await sleep(50);
    other.end('x'.repeat(10_000));
    await sleep(50);
    socket.end();

    expect((await text(socket)).match(/"id":"\d"/g)).toEqual(ids.map((_, at) => `"id":"${at + 1}"`));
  });

  it('come before those of node:http, in the order of the requests', async () => {
    const socket = await opened(echo.wire);
    socket.pause();
    const unusual = rawRequest('{}', 'Origin: x', 'X-Request-Id: last');
    socket.write(`${rawRequest('{}', LARGE).repeat(20)}${unusual}`);
    await sleep(100);
    socket.write(unusual.repeat(3));
    await sleep(100);
    let received = '';
    for await (const part of socket as AsyncIterable<Buffer>) {
      received += part.toString();
      if (received.slice(-2_000).split('"last"').length === 5) break;
    }

    expect(received.match(/HTTP\/1.1 200 OK/g)).toHaveLength(24);
    expect(received.lastIndexOf('xxx')).toBeLessThan(received.indexOf('"last"'));
  });

  it('are not cut off when idle connections are ended', async () => {
    const socket = await opened(echo.wire);
    socket.pause();
    socket.write(rawRequest('{}', LARGE).repeat(20));
    await sleep(100);
    echo.wire.closeIdleConnections();
    socket.end();

    expect((await text(socket)).match(/HTTP\/1.1 200 OK/g)).toHaveLength(20);
  });
});

describe('an end', () => {
  it('comes to idle connections, and to none whose request is on its way', async () => {
    const [idle, busy, fresh] = [await opened(echo.wire), await opened(echo.wire), await opened(echo.wire)];
    idle.write(rawRequest('{}'));
    await once(idle, 'data');
    busy.write(HEAD);
    await sleep(50);
    echo.wire.closeIdleConnections();
    await once(idle.resume(), 'close');
    busy.end(BODY);
    fresh.end(WHOLE);

    expect(await text(busy)).toContain('HTTP/1.1 422');
    expect(await text(fresh)).toContain('HTTP/1.1 422');
  });

  it('comes to a connection a little after the keep-alive time that it was told', async () => {
    const socket = await opened(echo.wire);
    const started = performance.now();
    socket.write(rawRequest('{}'));
    const received = await text(socket);

    expect(received).toContain('Keep-Alive: timeout=1');
    expect(performance.now() - started).toBeGreaterThan(1_900);
  });

  it('comes with the answer when the server is leaving', async () => {
    echo.leaving = true;
    const socket = await opened(echo.wire);
    socket.pause();
    socket.write(rawRequest('{}', HUGE).repeat(2));
    await sleep(50);
    socket.write(rawRequest('{}'));
    await sleep(50);
    const received = await text(socket);
    echo.leaving = false;

    expect(received.match(/HTTP\/1.1 200 OK/g)).toHaveLength(1);
    expect(received).toContain('Connection: close');
    expect(received.length).toBeGreaterThan(2 ** 24);
  });
});
