// A small, strict stand-in for the API server over real HTTP: list with pages, watch, server-side apply, leases, and faults on demand.
// What it does not know it refuses, and notes in `unexpected`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../operator/runtime/clock.ts';
import type { KubeClient, RequestRecord } from '../../operator/kube/client.ts';
import { createKubeClient } from '../../operator/kube/client.ts';
import type { Transport } from '../../operator/kube/connection.ts';
import { makeAgent } from '../../operator/kube/connection.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { Change, FakeObject } from './fake-object-store.ts';
import { FakeObjectStore, selector, StatusError } from './fake-object-store.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly watch: boolean;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingMessage['headers'];
}

export interface Fault {
  readonly when: (request: Request) => boolean;
  /** reset: no answer. lostAnswer: done, but the connection breaks before the answer. silent: neither answer nor end. */
  readonly then:
    | { readonly status: number; readonly reason?: string; readonly retryAfter?: number }
    | 'reset'
    | 'lostAnswer'
    | 'silent';
  /** Default 1. */
  times?: number;
}

interface Stream {
  readonly response: ServerResponse;
  readonly collection: string;
  readonly wants: (object: FakeObject) => boolean;
}

const QUERY = [
  'limit',
  'continue',
  'watch',
  'allowWatchBookmarks',
  'timeoutSeconds',
  'resourceVersion',
  'labelSelector',
  'fieldSelector',
  'fieldManager',
  'force',
];
const PATH = /^(\/(?:api|apis\/[^/]+)\/[^/]+\/(?:namespaces\/[^/]+\/)?([a-z]+))(?:\/([^/]+)(\/status)?)?$/;

export class FakeApiServer {
  readonly store = new FakeObjectStore();
  readonly requests: Request[] = [];
  readonly unexpected: string[] = [];
  readonly faults: Fault[] = [];
  readonly plurals: Set<string> = new Set(Object.values(RESOURCES).map(({ plural }) => plural));
  /** Events are kept from the streams, as when a connection is black-holed. */
  silent = false;
  readonly #streams = new Set<Stream>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor() {
    this.store.onChange = (change) => this.#publish(change);
  }

  static async start(): Promise<FakeApiServer> {
    const server = new FakeApiServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  transport(): Transport & { renewals: number } {
    const baseUrl = new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
    const agent = makeAgent(baseUrl, {});
    return {
      baseUrl,
      renewals: 0,
      credentials() {
        return Promise.resolve({ agent, headers: { authorization: `Bearer token-${this.renewals}` } });
      },
      renew() {
        this.renewals += 1;
      },
      close: () => agent.destroy(),
    };
  }

  client(clock: Clock, onRequest?: (record: RequestRecord) => void): KubeClient {
    return createKubeClient({ transport: this.transport(), clock, userAgent: 'test', ...(onRequest && { onRequest }) });
  }

  get streams(): number {
    return this.#streams.size;
  }

  count(method: string, watch = false): number {
    return this.requests.filter((request) => request.method === method && request.watch === watch).length;
  }

  /** Ends every stream: cleanly, or in the middle of a line. */
  cutStreams(how: 'end' | 'break' = 'end'): void {
    for (const { response } of this.#streams) {
      if (how === 'end') response.end();
      else response.write('{"type":"MODIFIED","obj', () => response.destroy());
    }
  }

  bookmark(): void {
    for (const { response } of this.#streams)
      send(response, 'BOOKMARK', { metadata: { resourceVersion: String(this.store.version) } });
  }

  /** An ERROR event inside every stream. */
  sendError(code: number, reason: string): void {
    for (const { response } of this.#streams)
      send(response, 'ERROR', new StatusError(code, reason, `in-band ${code}`).body());
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await parse(incoming);
    this.requests.push(request);
    const fault = this.#takeFault(request);
    if (fault === 'silent') return;
    try {
      if (fault === 'reset') throw new Reset();
      if (typeof fault === 'object') throw new FaultAnswer(fault);
      const body = this.#perform(request, response);
      if (fault === 'lostAnswer') throw new Reset();
      if (body === undefined) return;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } catch (error) {
      if (error instanceof Reset) {
        incoming.socket.destroy();
        return;
      }
      const status = error instanceof StatusError ? error : new StatusError(599, 'Bug', String(error));
      const headers =
        error instanceof FaultAnswer && error.retryAfter !== undefined
          ? { 'retry-after': String(error.retryAfter) }
          : {};
      response
        .writeHead(status.code, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(status.body()));
    }
  }

  #takeFault(request: Request): Fault['then'] | undefined {
    const fault = this.faults.find(({ when }) => when(request));
    if (fault === undefined) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) this.faults.splice(this.faults.indexOf(fault), 1);
    return fault.then;
  }

  #perform(request: Request, response: ServerResponse): unknown {
    const [, collection, plural, name, status] = PATH.exec(request.path) ?? [];
    const strange = [...request.query.keys()].filter((key) => !QUERY.includes(key));
    if (collection === undefined || plural === undefined || !this.plurals.has(plural) || strange.length > 0) {
      this.unexpected.push(`${request.method} ${request.path} ${strange.join()}`);
      throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
    }
    if (name === undefined) return this.#onCollection(request, collection, response);
    return this.#onObject(request, `${collection}/${name}`, collection, status !== undefined);
  }

  #onCollection(request: Request, collection: string, response: ServerResponse): unknown {
    if (request.method === 'POST') return this.store.create(collection, request.body);
    if (request.method !== 'GET') throw new StatusError(405, 'MethodNotAllowed', request.method);
    const wants = selector(request.query);
    if (request.watch) {
      this.#watch(request, { response, collection, wants });
      return undefined;
    }
    return this.#page(request.query, this.store.list(collection).filter(wants));
  }

  #onObject(request: Request, path: string, collection: string, status: boolean): unknown {
    switch (request.method) {
      case 'GET':
        return this.store.get(path);
      case 'PUT':
        return this.store.replace(path, request.body);
      case 'DELETE':
        this.store.delete(path, request.body);
        return { kind: 'Status', status: 'Success' };
      case 'PATCH': {
        const manager = request.query.get('fieldManager');
        if (request.headers['content-type'] !== 'application/apply-patch+yaml')
          throw new StatusError(415, 'UnsupportedMediaType', 'only apply');
        if (manager === null) throw new StatusError(400, 'BadRequest', 'fieldManager is required for apply');
        return this.store.apply(path, collection, request.body, manager, request.query.get('force') === 'true', status);
      }
      default:
        throw new StatusError(405, 'MethodNotAllowed', request.method);
    }
  }

  #page(query: URLSearchParams, all: FakeObject[]): unknown {
    const [version = this.store.version, start = 0] = (query.get('continue') ?? '')
      .split(':')
      .filter(Boolean)
      .map(Number);
    if (version < this.store.compacted) throw new StatusError(410, 'Expired', 'the continue token is too old');
    const end = start + Number(query.get('limit') ?? all.length);
    // As the real server does for its own types: listed items have neither kind nor apiVersion.
    const items = all.slice(start, end).map((item) => ({ ...item, kind: undefined, apiVersion: undefined }));
    return {
      kind: 'List',
      metadata: { resourceVersion: String(version), ...(end < all.length && { continue: `${version}:${end}` }) },
      items,
    };
  }

  #watch({ query }: Request, stream: Stream): void {
    const since = Number(query.get('resourceVersion'));
    stream.response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (since < this.store.compacted) {
      send(stream.response, 'ERROR', new StatusError(410, 'Expired', `too old resource version: ${since}`).body());
      stream.response.end();
      return;
    }
    this.#streams.add(stream);
    stream.response.on('close', () => this.#streams.delete(stream));
    for (const change of this.store.history.filter(({ version }) => version > since)) deliver(stream, change);
  }

  #publish(change: Change): void {
    if (this.silent) return;
    for (const stream of this.#streams) deliver(stream, change);
  }
}

class Reset extends Error {}

class FaultAnswer extends StatusError {
  readonly retryAfter: number | undefined;

  constructor({
    status,
    reason,
    retryAfter,
  }: {
    readonly status: number;
    readonly reason?: string;
    readonly retryAfter?: number;
  }) {
    super(status, reason ?? 'Fault', `fault ${status}`);
    this.retryAfter = retryAfter;
  }
}

function deliver({ response, collection, wants }: Stream, { type, object, collection: changed }: Change): void {
  const plural = collection.slice(collection.lastIndexOf('/'));
  const root = collection.slice(0, -plural.length);
  const inside = changed === collection || (changed.startsWith(`${root}/namespaces/`) && changed.endsWith(plural));
  if (inside && wants(object)) send(response, type, object);
}

function send(response: ServerResponse, type: string, object: unknown): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

async function parse(incoming: IncomingMessage): Promise<Request> {
  const url = new URL(incoming.url ?? '', 'http://fake');
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  const { method = '', headers } = incoming;
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    watch: url.searchParams.get('watch') === 'true',
    body,
    headers,
  };
}
