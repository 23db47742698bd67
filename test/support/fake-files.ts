// A small web server with files on loopback, for GET and HEAD: ETags strong, weak or none, If-Match, logins, and what goes wrong with such servers.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

interface StoredFile {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** What goes wrong with one request. */
export type FileFault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The body stops after so many bytes, the connection stays. */
  | { readonly kind: 'stall'; readonly after: number }
  /** No answer ever comes. */
  | { readonly kind: 'silent' }
  /** Headers of the answer, beside or instead of the right ones; undefined: that one is missing. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string | undefined>> }
  /** Something happens just before the answer is made: an upload, for instance. */
  | { readonly kind: 'first'; readonly run: () => void };

export interface FakeFiles {
  /** The base address, with a path. */
  readonly url: string;
  /** Every request so far: "GET /files/models/a.tar.gz". */
  readonly requests: string[];
  /** Headers of the last request. */
  readonly last: IncomingHttpHeaders;
  /** Faults for the next requests, first come first served. */
  readonly faults: FileFault[];
  /** What servers differ in. */
  readonly ways: {
    etags: 'strong' | 'weak' | 'none';
    dates: boolean;
    ifMatch: boolean;
    authorization: string | undefined;
  };
  /** `second` is when; default: a second after the one before. */
  put(
    path: string,
    bytes: Uint8Array,
    second?: number,
  ): { readonly etag: string; readonly sha256: string; readonly size: number };
  remove(path: string): void;
  close(): Promise<void>;
}

export async function startFakeFiles(): Promise<FakeFiles> {
  const files = new Map<string, StoredFile>();
  const state = { last: {} as IncomingHttpHeaders, puts: 0 };
  const requests: string[] = [];
  const faults: FileFault[] = [];
  const ways: FakeFiles['ways'] = { etags: 'strong', dates: true, ifMatch: true, authorization: undefined };
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    state.last = request.headers;
    answer({ files, ways, fault: faults.shift(), request, response }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/files`,
    requests,
    faults,
    ways,
    get last() {
      return state.last;
    },
    put(path, bytes, second = (state.puts += 1)) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const etag = `"${sha256.slice(0, 12)}"`;
      const modified = new Date(1_800_000_000_000 + second * 1000).toUTCString();
      files.set(`/files/${path}`, { bytes, headers: { etag, 'last-modified': modified } });
      return { etag, sha256, size: bytes.length };
    },
    remove: (path) => void files.delete(`/files/${path}`),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Asked {
  readonly files: ReadonlyMap<string, StoredFile>;
  readonly ways: FakeFiles['ways'];
  readonly fault: FileFault | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answer(asked: Asked): Promise<void> {
  const { files, ways, fault, request, response } = asked;
  if (fault?.kind === 'first') fault.run();
  if (fault?.kind === 'silent') return;
  if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end('<html>canary</html>');
  const file = files.get(decodeURIComponent(request.url ?? ''));
  const status = statusOf(file, ways, request.headers);
  if (file === undefined || status !== 200) return void response.writeHead(status).end();
  writeHeaders(file, asked);
  if (request.method === 'HEAD') response.end();
  else await send(file.bytes, fault, response);
}

function writeHeaders(file: StoredFile, { ways, fault, response }: Asked): void {
  const faulty = fault?.kind === 'headers' ? fault.headers : {};
  const headers = { 'content-length': String(file.bytes.length), ...sent(file, ways), ...faulty };
  for (const [name, value] of Object.entries<string | undefined>(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
}

function statusOf(file: StoredFile | undefined, ways: FakeFiles['ways'], headers: IncomingHttpHeaders): number {
  if (ways.authorization !== undefined && headers.authorization !== ways.authorization) return 401;
  if (file === undefined) return 404;
  const match = headers['if-match'];
  // As RFC 9110 has it: If-Match compares strongly, so a weak ETag never matches.
  const matches = ways.etags === 'strong' && match === file.headers['etag'];
  return match === undefined || !ways.ifMatch || matches ? 200 : 412;
}

function sent({ headers }: StoredFile, { etags, dates }: FakeFiles['ways']): Record<string, string | undefined> {
  const { etag = '', 'last-modified': modified } = headers;
  return {
    etag: etags === 'none' ? undefined : etags === 'weak' ? `W/${etag}` : etag,
    'last-modified': dates ? modified : undefined,
  };
}

async function send(bytes: Uint8Array, fault: FileFault | undefined, response: ServerResponse): Promise<void> {
  if (fault?.kind !== 'cut' && fault?.kind !== 'stall') return void response.end(bytes);
  response.write(bytes.subarray(0, fault.after));
  if (fault.kind === 'stall') return;
  await sleep(5); // so that the bytes get out before the connection goes
  response.destroy();
}
