// Requests to the API server: raw JSON in and out, with deadline, abort, rate limit, and the server's own throttling honoured.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../runtime/clock.ts';
import { withDeadline } from '../runtime/clock.ts';
import { readLines, readText } from '../runtime/http-body.ts';
import { RateLimiter } from '../runtime/rate-limiter.ts';
import type { Transport } from './connection.ts';
import { exchange } from './connection.ts';
import { fromAnswer, KubeError, toKubeError } from './errors.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export const JSON_TYPE = 'application/json';
export const APPLY_TYPE = 'application/apply-patch+yaml';

export interface RequestOptions {
  readonly body?: unknown;
  /** Default: application/json. A PATCH has to name its own. */
  readonly contentType?: string;
  readonly query?: Query;
  readonly signal: AbortSignal;
  /** For the whole call, waiting for the rate limit included. Default 15 s. */
  readonly deadlineMs?: number;
  /** Lease traffic: neither rate-limited nor held back by a 429 to somebody else. */
  readonly urgent?: boolean;
}

export interface KubeClient {
  /** The parsed body of a 2xx answer. Throws KubeError for everything else, and the signal's reason when aborted. */
  request(method: Method, path: string, options: RequestOptions): Promise<unknown>;
  /**
   * The JSON lines of a GET, for as long as the server sends. Ends when the server ends it; throws as `request` does. Leaving the loop closes the
   * connection. `onOpen` is called when the server has accepted.
   */
  stream(path: string, query: Query, signal: AbortSignal, onOpen?: () => void): AsyncIterable<unknown>;
}

export interface RequestRecord {
  readonly method: Method;
  readonly path: string;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly durationMs: number;
}

export interface KubeClientOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Default: 50 requests a second, 100 at once. The server's own fairness decides when it is asked too much. */
  readonly limiter?: RateLimiter;
  /** Called after each attempt, for metrics. */
  readonly onRequest?: (record: RequestRecord) => void;
  readonly userAgent: string;
}

const DEADLINE_MS = 15_000;
/** A page of 500 objects of the largest size allowed would be larger; such a list has to be asked for in smaller pages. */
const BODY_LIMIT = 256 * 1024 * 1024;
/** When a 429 names no time. */
const RETRY_AFTER_MS = 1000;

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly urgent: boolean;
}

/** A client on one transport; all its calls share the rate limit. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  return new HttpKubeClient(options);
}

class HttpKubeClient implements KubeClient {
  readonly #options: KubeClientOptions;
  readonly #limiter: RateLimiter;

  constructor(options: KubeClientOptions) {
    this.#options = options;
    this.#limiter = options.limiter ?? new RateLimiter({ clock: options.clock, perSecond: 50, burst: 100 });
  }

  async request(method: Method, path: string, options: RequestOptions): Promise<unknown> {
    const { body, contentType, query, signal, deadlineMs = DEADLINE_MS, urgent = false } = options;
    const call = this.#call(method, withQuery(path, query), urgent, body, contentType);
    const deadline = withDeadline(this.#options.clock, deadlineMs, signal);
    try {
      return parseJson(await readText(await this.#send(call, deadline.signal), BODY_LIMIT));
    } catch (error) {
      signal.throwIfAborted();
      throw toKubeError(deadline.signal.aborted ? deadline.signal.reason : error);
    } finally {
      deadline.done();
    }
  }

  async *stream(path: string, query: Query, signal: AbortSignal, onOpen?: () => void): AsyncIterable<unknown> {
    const call = this.#call('GET', withQuery(path, query), false);
    const opening = withDeadline(this.#options.clock, DEADLINE_MS, signal);
    try {
      const message = await this.#send(call, opening.signal);
      opening.lift();
      onOpen?.();
      for await (const line of readLines(message)) yield parseJson(line);
    } catch (error) {
      signal.throwIfAborted();
      throw toKubeError(opening.signal.aborted ? opening.signal.reason : error);
    } finally {
      opening.done();
    }
  }

  #call(method: Method, path: string, urgent: boolean, body?: unknown, contentType = JSON_TYPE): Call {
    const headers = { accept: JSON_TYPE, 'user-agent': this.#options.userAgent };
    if (body === undefined) return { method, path, headers, urgent };
    return { method, path, headers: { ...headers, 'content-type': contentType }, urgent, body: JSON.stringify(body) };
  }

  /** Repeats an attempt once with fresh credentials (401), and after the pause that the server asks for (429) while the deadline lasts. */
  async #send(call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    for (let renewed = false; ;) {
      try {
        const message = await this.#attempt(call, signal);
        this.#limiter.recover();
        return message;
      } catch (error) {
        const refusal = error instanceof KubeError ? error : undefined;
        const retry = refusal !== undefined && this.#prepareRetry(refusal, call, renewed);
        if (!retry) throw error;
        renewed ||= refusal.isUnauthorized;
      }
    }
  }

  /** True when the same call may be sent again right away: the limiter then does the waiting. */
  #prepareRetry(refusal: KubeError, call: Call, renewed: boolean): boolean {
    if (refusal.isUnauthorized && !renewed) {
      this.#options.transport.renew();
      return true;
    }
    if (!refusal.isThrottled || call.urgent) return false;
    this.#limiter.throttle(refusal.retryAfterMs ?? RETRY_AFTER_MS);
    return true;
  }

  /** The head of a 2xx answer. Throws KubeError for any other answer, and the error of the connection when there is none. */
  async #attempt(call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    const { clock, transport, onRequest } = this.#options;
    if (!call.urgent) await this.#limiter.take(signal);
    const start = clock.monotonic();
    let status = 0;
    try {
      const message = await exchange(transport, { ...call, signal });
      status = message.statusCode ?? 0;
      if (status >= 200 && status < 300) return message;
      throw fromAnswer(status, await readText(message, BODY_LIMIT), retryAfterMs(message));
    } finally {
      onRequest?.({ method: call.method, path: call.path, status, durationMs: clock.monotonic() - start });
    }
  }
}

function withQuery(path: string, query: Query = {}): string {
  const pairs: [string, string][] = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs).toString()}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KubeError(
      { status: 0, reason: 'Malformed', message: 'the answer of the API server is not JSON' },
      { cause: error },
    );
  }
}

/** The API server sends whole seconds. */
function retryAfterMs({ headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers['retry-after']);
  return headers['retry-after'] !== undefined && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
