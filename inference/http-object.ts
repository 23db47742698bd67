// Objects of a store of kind http, for both who ask it, model server and operator: where an object is, who asks, and one request without surprises
// (no redirect is followed, nothing is decoded, no address is built that a key could turn elsewhere).
import { request as httpRequest } from 'node:http';
import type { Agent, IncomingMessage } from 'node:http';

export interface HttpLogin {
  readonly token?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface HttpAsk {
  readonly method: 'HEAD' | 'GET';
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorization?: string | undefined;
  /** Default: Node's own, for all of the process. */
  readonly agent?: Agent;
  /** Ends the request and, later, the answer. */
  readonly signal: AbortSignal;
}

/** `<base>/<bucket>/<key>`, each segment percent-encoded; undefined for names that no address below the base has, such as `..`. */
export function objectUrl(base: string, bucket: string, key: string): URL | undefined {
  const segments = [bucket, ...key.split('/')];
  const isPlain = (segment: string) => segment !== '.' && segment !== '..' && segment.isWellFormed();
  if (bucket === '' || !segments.every(isPlain)) return undefined;
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${segments.map(encodeURIComponent).join('/')}`;
  return url;
}

/** The header for a bearer token, else for name and password; undefined: nobody in particular asks. */
export function authorizationOf({ token, username, password = '' }: HttpLogin): string | undefined {
  if (token !== undefined) return `Bearer ${token}`;
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The head of the answer; its body has to be read or destroyed. Throws Node's errors, or the reason of the signal. */
export async function ask(url: URL, { authorization, headers, ...options }: HttpAsk): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // TLS takes memory: it is loaded for the first address that has it.
  const request = url.protocol === 'https:' ? process.getBuiltinModule('node:https').request : httpRequest;
  const outgoing = request(url, {
    ...options,
    headers: {
      'accept-encoding': 'identity',
      'cache-control': 'no-cache', // a cache on the way is to ask whether what it holds is still the object
      'user-agent': 'switchyard',
      ...(authorization !== undefined && { authorization }),
      ...headers,
    },
  });
  outgoing.on('response', resolve).on('error', reject).end();
  return promise;
}

/** What Content-Length says; undefined: it does not. */
export function lengthOf({ headers }: Pick<IncomingMessage, 'headers'>): number | undefined {
  const { 'content-length': length } = headers;
  return length === undefined ? undefined : Number(length);
}
