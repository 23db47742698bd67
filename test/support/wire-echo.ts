// A server with the short way of the wire and one without, which answer a request alike: with what they have read of it.
import { once } from 'node:events';
import { Server } from 'node:http';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { WireServer } from '../../inference/wire/wire-server.ts';
import type { PlainRoute } from '../../inference/wire/wire-connection.ts';

export const LINE = 'POST /predict HTTP/1.1\r\n';
const DATE = /Date: [^\r]*/g;
const OPTIONS = { keepAliveTimeout: 1_000, restMs: 300 };
/** A body of so many bytes is refused. */
const REFUSED_BYTES = 7;
/** The answer to such a request is a mebibyte. */
export const LARGE = 'Content-Type: large';
/** And to these more than there is room for between two processes. */
export const HUGE = 'Content-Type: huge';
const SIZES: Record<string, number> = { large: 2 ** 20, huge: 2 ** 24 };

export interface Echo {
  readonly wire: WireServer;
  readonly usual: Server;
  /** Requests that went the short way. */
  answered: number;
  /** Whether answers end their connections. */
  leaving: boolean;
  close(): void;
}

export async function startEcho(): Promise<Echo> {
  const echo = { answered: 0, leaving: false };
  const wire = new WireServer(OPTIONS, listener, routeOf(echo));
  const usual = new Server(OPTIONS, listener);
  for (const server of [wire, usual]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = () => {
    for (const server of [wire, usual]) server.close().closeAllConnections();
  };
  return Object.assign(echo, { wire, usual, close });
}

function routeOf(echo: Pick<Echo, 'answered' | 'leaving'>): PlainRoute {
  return {
    line: Buffer.from(LINE),
    maxBodyBytes: 100_000,
    isLeaving: () => echo.leaving,
    answer({ contentType, requestId }, body) {
      echo.answered += 1;
      const size = SIZES[contentType ?? ''];
      const json =
        size === undefined ? told('POST', body.toString('latin1'), contentType, requestId) : 'x'.repeat(size);
      const headers = 'content-type: application/json\r\n';
      return { status: statusOf(body), headers, requestId: 'r', json, written: () => undefined };
    },
  };
}

const listener: RequestListener = (request, response) => {
  const { method, headers } = request;
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    const json = told(method, body.toString('latin1'), headers['content-type'], headers['x-request-id']);
    const length = String(Buffer.byteLength(json));
    const fields = ['content-type', 'application/json', 'x-request-id', 'r', 'content-length', length];
    response.writeHead(statusOf(body), fields);
    response.end(json);
  });
};

function statusOf(body: Buffer): number {
  return body.length === REFUSED_BYTES ? 422 : 200;
}

function told(method: string | undefined, body: string, type: unknown, id: unknown): string {
  return JSON.stringify({ method, body, type: type ?? null, id: id ?? null });
}

export function rawRequest(body: string, ...fields: readonly string[]): string {
  const lines = ['Host: a', `Content-Length: ${body.length}`, ...fields];
  return `${LINE}${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}

export async function opened(server: Server): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes back when these (bytes as latin1) are sent, a little apart, and no more. */
export async function reply(server: Server, ...parts: readonly string[]): Promise<string> {
  const socket = await opened(server);
  const received = text(socket).catch((error: unknown) => String(error));
  for (const [at, part] of parts.entries()) {
    if (at > 0) await sleep(5);
    if (socket.writable) socket.write(Buffer.from(part, 'latin1'));
  }
  socket.end();
  return (await received).replaceAll(DATE, 'Date: now');
}
