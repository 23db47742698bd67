// One HTTP exchange with the API server on a kept-alive connection. How to get there and as whom is the Transport's business.
import type { IncomingMessage } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { RequestOptions as HttpsOptions } from 'node:https';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

/** The way to one API server, and who we are there. */
export interface Transport {
  /** Scheme, host, port and, behind some gateways, a path prefix. */
  readonly baseUrl: URL;
  /** Asked for before each request, since tokens and client certificates rotate. */
  credentials(): Promise<Credentials>;
  /** Forgets cached credentials: the server refused them (401). */
  renew(): void;
  close(): void;
}

export interface Credentials {
  readonly agent: HttpAgent | HttpsAgent;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

export type TlsOptions = Pick<
  HttpsOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

/** The kernel probes a silent connection after so long, then each second; Linux gives up after ten: a dead peer is noticed within 25 s. */
const KEEP_ALIVE_MS = 15_000;

/** An agent that keeps connections alive and notices a dead peer; `tls` is not used for http. */
export function makeAgent(baseUrl: URL, tls: TlsOptions): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, scheduling: 'lifo' as const };
  return baseUrl.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tls });
}

/**
 * Sends one request and resolves with the head of the answer; its body is still to be read. Aborting the signal later ends the body too.
 * Rejects with the signal's reason, or with the error of the connection. A kept-alive connection that the server closed meanwhile is replaced
 * once, unless the request is a POST, which may not be sent twice.
 */
export async function exchange(transport: Transport, what: Exchange): Promise<IncomingMessage> {
  const credentials = await transport.credentials();
  const first = await attempt(transport.baseUrl, credentials, what);
  if (first.message !== undefined) return first.message;
  what.signal.throwIfAborted();
  if (!first.reused || what.method === 'POST') throw first.error;
  const second = await attempt(transport.baseUrl, credentials, what);
  if (second.message !== undefined) return second.message;
  what.signal.throwIfAborted();
  throw second.error;
}

type Attempt = { message: IncomingMessage } | { message?: undefined; error: Error; reused: boolean };

function attempt(baseUrl: URL, { agent, headers }: Credentials, what: Exchange): Promise<Attempt> {
  const send = baseUrl.protocol === 'http:' ? httpRequest : httpsRequest;
  const length = what.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(what.body)) };
  const { promise, resolve } = Promise.withResolvers<Attempt>();
  const request = send({
    method: what.method,
    protocol: baseUrl.protocol,
    hostname: baseUrl.hostname.replace(/^\[|\]$/g, ''),
    port: baseUrl.port,
    path: baseUrl.pathname.replace(/\/$/, '') + what.path,
    headers: { ...headers, ...what.headers, ...length },
    agent,
    signal: what.signal,
  });
  request.on('socket', (socket: Socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
  request.on('response', (message) => resolve({ message }));
  request.on('error', (error) => resolve({ error, reused: request.reusedSocket }));
  request.end(what.body);
  return promise;
}
