// JSON over HTTP to a pod: keep-alive, a deadline on every call, an upper bound on every answer, and one kind of error.
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { withDeadline, type Clock } from '../runtime/clock.ts';
import { readText } from '../runtime/http-body.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface JsonCall {
  readonly method: 'GET' | 'POST';
  readonly address: Address;
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly deadlineMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the answer was not JSON. */
  readonly body: unknown;
}

const REFUSED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The pod could not be reached, did not answer in time or answered too much; the message holds nothing that the pod said. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  /** There was no connection: the pod cannot have received anything. */
  readonly isRefused: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.isRefused = REFUSED.has(codeOf(options?.cause) ?? '');
  }
}

const MAX_SOCKETS_PER_POD = 2;
/** Shorter than a pod's own keep-alive, so that no call goes out on a connection that the pod is closing. */
const IDLE_SOCKET_MS = 30_000;

/** Calls pods by address; owns their connections until `close`. */
export class JsonHttp {
  readonly #agent = new Agent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS_PER_POD,
    maxFreeSockets: 1,
    timeout: IDLE_SOCKET_MS,
  });
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws UnreachableError, or the reason of `signal` when that was aborted. */
  async call(call: JsonCall): Promise<JsonAnswer> {
    const deadline = withDeadline(this.#clock, call.deadlineMs, call.signal);
    try {
      const response = await this.#send(call, deadline.signal);
      const text = await readText(response, call.maxBytes);
      return { status: response.statusCode ?? 0, body: parseJson(text) };
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason;
      throw new UnreachableError(describe(error, call), { cause: error });
    } finally {
      deadline.done();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(call: JsonCall, signal: AbortSignal): Promise<IncomingMessage> {
    const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
    const options: RequestOptions = {
      agent: this.#agent,
      method: call.method,
      host: call.address.host,
      port: call.address.port,
      path: call.path,
      signal,
      headers: {
        accept: 'application/json',
        ...(call.token !== undefined && { authorization: `Bearer ${call.token}` }),
        ...(payload !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, resolve);
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(error: unknown, { path, deadlineMs }: JsonCall): string {
  if (!(error instanceof Error)) return `${path}: no answer`;
  const code = codeOf(error);
  if (code === 'ABORT_ERR') return `${path}: no answer within ${deadlineMs} ms`;
  return `${path}: ${code ?? error.message}`.slice(0, 200);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
