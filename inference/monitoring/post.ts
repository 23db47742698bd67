// POST to a server of the configuration: bounded in time and size, on connections that are kept, never to where an answer redirects.
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { AgentOptions, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Order {
  readonly url: URL;
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why there is no answer. */
export type PostFailure = 'timeout' | 'unreachable' | 'too_large';

export class PostError extends Error {
  override readonly name = 'PostError';
  readonly reason: PostFailure;

  constructor(reason: PostFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Sends orders on at most `connections` connections; throws PostError when there is no whole answer after `timeoutMs`. */
export class Poster {
  readonly #timeoutMs: number;
  readonly #options: AgentOptions;
  readonly #http: HttpAgent;
  #https: HttpsAgent | undefined;

  constructor({ connections, timeoutMs }: { readonly connections: number; readonly timeoutMs: number }) {
    this.#timeoutMs = timeoutMs;
    this.#options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections, timeout: 60_000 };
    this.#http = new HttpAgent(this.#options);
  }

  async post(order: Order, signal: AbortSignal): Promise<Answer> {
    const late = AbortSignal.timeout(this.#timeoutMs);
    try {
      return await this.#send(order, AbortSignal.any([signal, late]));
    } catch (error) {
      if (error instanceof PostError) throw error;
      if (late.aborted) throw new PostError('timeout', `no answer in ${this.#timeoutMs} ms`, { cause: error });
      throw new PostError('unreachable', error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https?.destroy();
  }

  #send({ url, body, headers }: Order, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const length = String(Buffer.byteLength(body));
    const options = { method: 'POST', headers: { ...headers, 'content-length': length }, signal };
    const read = (response: IncomingMessage) => void whole(response).then(resolve, reject);
    const call =
      url.protocol === 'https:'
        ? this.#tls(url, options, read)
        : httpRequest(url, { ...options, agent: this.#http }, read);
    call.on('error', reject);
    call.end(body);
    return promise;
  }

  /** TLS takes memory: it is loaded for the first address that has it. */
  #tls(url: URL, options: RequestOptions, read: (response: IncomingMessage) => void): ClientRequest {
    const { Agent, request } = process.getBuiltinModule('node:https');
    this.#https ??= new Agent(this.#options);
    return request(url, { ...options, agent: this.#https }, read);
  }
}

async function whole(response: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new PostError('too_large', `an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString('utf8') };
}
