// Whatever comes on a connection is answered as node:http by itself answers it, byte for byte.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/support/a-pickle.ts';
import { LINE, rawRequest, reply, startEcho } from '../../test/support/wire-echo.ts';
import type { Echo } from '../../test/support/wire-echo.ts';

const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

let echo: Echo;

beforeAll(async () => {
  echo = await startEcho();
});
afterAll(() => echo.close());

async function expectSame(...parts: readonly string[]): Promise<string> {
  const [mine, theirs] = await Promise.all([reply(echo.wire, ...parts), reply(echo.usual, ...parts)]);
  if (mine !== theirs && theirs.endsWith(BAD_REQUEST)) await expectOnlyMoreAnswers(mine, theirs, parts.join(''));
  else expect(mine, JSON.stringify(parts)).toBe(theirs);
  return mine;
}

/** node:http drops an answer that it is about to write when it cannot read what follows: what we answered then is what it answers to that part alone. */
async function expectOnlyMoreAnswers(mine: string, theirs: string, raw: string): Promise<void> {
  expect(mine.slice(-BAD_REQUEST.length), JSON.stringify(raw)).toBe(BAD_REQUEST);
  const answers = mine.slice(0, -BAD_REQUEST.length);
  expect(answers.startsWith(theirs.slice(0, -BAD_REQUEST.length))).toBe(true);
  expect(answers, JSON.stringify(raw)).toBe(
    await reply(echo.usual, firstOf(raw, answers.split(LINE_OF_ANSWER).length - 1)),
  );
}

const LINE_OF_ANSWER = /HTTP\/1\.1 \d/;

/** So many requests from the beginning. */
function firstOf(raw: string, count: number): string {
  let at = 0;
  for (let seen = 0; seen < count; seen += 1) {
    const body = raw.indexOf('\r\n\r\n', at) + 4;
    at = body + Number(/content-length:[\t ]*(\d+)/i.exec(raw.slice(at, body))?.[1]);
  }
  return raw.slice(0, at);
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
    const before = echo.answered;
    const answer = await expectSame(rawRequest('{"a":1} \u00ff', field));

    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(echo.answered - before).toBe(1);
  });

  it.each(UNUSUAL)('with %j is answered as node:http answers it', async (field) => {
    await expectSame(rawRequest('{}', field));
    await expectSame(`${LINE}Host: a\r\n${field}\r\n\r\n{}`);
  });

  it.each([
    LINE,
    'POST /predict HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}',
    'GET /predict HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /predict?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    `${LINE}Content-Length: 2\r\n\r\n{}`,
    `${LINE}Host: a\r\n\r\n`,
    `\r\n${rawRequest('{}')}`,
    rawRequest('{}').replaceAll('\r\n', '\n'),
    rawRequest('{}').slice(0, -1),
    rawRequest('{}').slice(0, 40),
    rawRequest('{}', `x: ${'y'.repeat(5_000)}`),
    rawRequest('{}', `x: ${'y'.repeat(20_000)}`),
    rawRequest('', 'Accept: */*'),
    rawRequest('1234567'),
    rawRequest('x'.repeat(90_000)),
    'nonsense\r\n\r\n',
    '',
  ])('%#', async (raw) => {
    await expectSame(raw);
  });
});

describe('several requests', () => {
  it('in one packet are answered in their order, whichever way each goes', async () => {
    const one = (id: string, ...more: string[]) => rawRequest('{}', `x-request-id: ${id}`, ...more);
    const answer = await expectSame(one('1') + one('2') + one('3', 'expect: 100-continue') + one('4'));

    expect([...answer.matchAll(/"id":"(\d)"/g)].map(([, id]) => id)).toEqual(['1', '2', '3', '4']);
  });

  it('whose heads come by themselves go the short way', async () => {
    const before = echo.answered;
    const [head, body] = [rawRequest('{"a":1}').slice(0, -7), '{"a":1}'];
    await expectSame(head, `${body}${head}`, body);

    expect(echo.answered - before).toBe(2);
  });

  it('whose bodies come in many parts too', async () => {
    const before = echo.answered;
    const whole = rawRequest('x'.repeat(90_000));
    await expectSame(...Array.from({ length: 10 }, (_, part) => whole.slice(part * 10_000, (part + 1) * 10_000)));

    expect(echo.answered - before).toBe(1);
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
    return rawRequest('{"a":1}'.repeat(Math.floor(random() * 3)), ...fields);
  };
  const before = echo.answered;
  for (let round = 0; round < 100; round += 1) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const raw = fault(one() + (random() < 0.4 ? one() : ''));
        const cut = random() < 0.3 ? Math.floor(random() * raw.length) : raw.length;
        await expectSame(...[raw.slice(0, cut), raw.slice(cut)].filter((part) => part !== ''));
      }),
    );
  }
  expect(echo.answered - before).toBeGreaterThan(500);
}, 60_000);
