// A small S3 server on loopback: buckets, ETags, versions, If-Match, and faults that a real store cannot be asked for. For GET and HEAD of objects only.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly versionId: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What goes wrong with one request. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The body stops after so many bytes, the connection stays. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The body comes in so many pieces, with a pause before each. */
  | { readonly kind: 'drip'; readonly pieces: number; readonly pauseMs: number }
  /** Something happens just before the answer is made: an upload, for instance. */
  | { readonly kind: 'first'; readonly run: () => void | Promise<void> };

export interface FakeS3 {
  readonly endpoint: string;
  /** Every request so far: "GET /models/a.tar.gz". */
  readonly requests: string[];
  /** Faults for the next requests, first come first served. */
  readonly faults: Fault[];
  createBucket(name: string, options?: { readonly versioned?: boolean }): void;
  put(
    bucket: string,
    key: string,
    bytes: Uint8Array,
    metadata?: Record<string, string>,
  ): { readonly etag: string; readonly versionId: string; readonly sha256: string };
  remove(bucket: string, key: string): void;
  close(): Promise<void>;
}

interface Bucket {
  readonly versioned: boolean;
  readonly objects: Map<string, StoredObject[]>;
}

class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export async function startFakeS3(): Promise<FakeS3> {
  const buckets = new Map<string, Bucket>();
  const requests: string[] = [];
  const faults: Fault[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    answer(buckets, faults.shift(), request, response).catch(() => response.destroy());
  });
  const port = await listening(server);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    faults,
    createBucket: (name, { versioned = false } = {}) => void buckets.set(name, { versioned, objects: new Map() }),
    put: (bucket, key, bytes, metadata = {}) => put(buckets, bucket, key, bytes, metadata),
    remove: (bucket, key) => void buckets.get(bucket)?.objects.delete(key),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function put(
  buckets: Map<string, Bucket>,
  name: string,
  key: string,
  bytes: Uint8Array,
  metadata: Record<string, string>,
) {
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new Error(`no bucket ${name}`);
  const former = bucket.objects.get(key) ?? [];
  const versionId = bucket.versioned ? `v${former.length + 1}` : 'null';
  const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
  const object = { bytes, etag, versionId, metadata };
  bucket.objects.set(key, bucket.versioned ? [...former, object] : [object]);
  return { etag, versionId, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function answer(
  buckets: Map<string, Bucket>,
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (fault?.kind === 'first') await fault.run();
    if (fault?.kind === 'status') throw new S3Error(fault.status, fault.code);
    await sendObject(find(buckets, request), fault, request, response);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    const body = `<?xml version="1.0"?><Error><Code>${error.code}</Code><Message>${error.code}</Message></Error>`;
    response.writeHead(error.status, { 'content-type': 'application/xml' });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

function find(buckets: Map<string, Bucket>, request: IncomingMessage): StoredObject & { readonly versioned: boolean } {
  const url = new URL(request.url ?? '/', 'http://s3');
  const [, name = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new S3Error(404, 'NoSuchBucket');
  const versions = bucket.objects.get(rest.join('/'));
  if (versions === undefined) throw new S3Error(404, 'NoSuchKey');
  const wanted = url.searchParams.get('versionId');
  const object = wanted === null ? versions.at(-1) : versions.find(({ versionId }) => versionId === wanted);
  if (object === undefined) throw new S3Error(404, 'NoSuchVersion');
  const match = request.headers['if-match'];
  if (match !== undefined && match !== object.etag) throw new S3Error(412, 'PreconditionFailed');
  return { ...object, versioned: bucket.versioned };
}

async function sendObject(
  { bytes, etag, versionId, versioned, metadata }: StoredObject & { readonly versioned: boolean },
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const meta = Object.entries(metadata).map(([key, value]): [string, string] => [`x-amz-meta-${key}`, value]);
  response.writeHead(200, {
    etag,
    'content-length': bytes.length,
    ...(versioned && { 'x-amz-version-id': versionId }),
    ...Object.fromEntries(meta),
  });
  if (request.method === 'HEAD') return void response.end();
  if (fault?.kind === 'drip') return drip(bytes, fault, response);
  if (fault?.kind !== 'cut' && fault?.kind !== 'stall') return void response.end(bytes);
  response.write(bytes.subarray(0, fault.after));
  if (fault.kind === 'stall') return;
  await sleep(5); // so that the bytes get out before the connection goes
  response.destroy();
}

async function drip(
  bytes: Uint8Array,
  { pieces, pauseMs }: { readonly pieces: number; readonly pauseMs: number },
  response: ServerResponse,
): Promise<void> {
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    await sleep(pauseMs);
    response.write(bytes.subarray(at, at + size));
  }
  response.end();
}
