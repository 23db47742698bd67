// One keep-alive connection: one request at a time, no retry. The connection is opened anew only when the other side has ended it.
import { Agent, request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from './expectations.ts';

export interface ConnectionCount {
  opened: number;
  open: number;
}

export class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: URL;
  readonly #count: ConnectionCount;
  #socket: Socket | undefined;

  constructor(url: URL, count: ConnectionCount) {
    this.#url = url;
    this.#count = count;
  }

  /** Rejects when there is no whole answer within `timeoutMs`, whatever the reason. */
  post(body: string, headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = String(Buffer.byteLength(body));
      const all = { 'content-type': 'application/json', 'content-length': length, ...headers };
      const call = request(this.#url, { method: 'POST', agent: this.#agent, headers: all });
      const deadline = setTimeout(() => call.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      call.on('socket', (socket) => this.#note(socket));
      call.on('error', reject);
      call.on('response', (response) => void readAnswer(response).then(resolve, reject));
      call.on('close', () => clearTimeout(deadline));
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #note(socket: Socket): void {
    if (this.#socket === socket) return;
    this.#socket = socket;
    this.#count.opened += 1;
    this.#count.open += 1;
    socket.once('close', () => (this.#count.open -= 1));
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    variant: header(response, 'x-model-variant'),
    version: header(response, 'x-model-version'),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function header(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === 'string' ? value : undefined;
}
