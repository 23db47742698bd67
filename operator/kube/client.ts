// Requests to the API server: raw JSON in and out, with deadline, abort, rate limit, and the server's own throttling honoured.

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export const JSON_TYPE = 'application/json';
export const APPLY_TYPE = 'application/apply-patch+yaml';
export const MERGE_TYPE = 'application/merge-patch+json';

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
  /** The JSON lines of a GET, for as long as the server sends. Ends when the server ends it; throws as `request` does. Leaving the loop closes the connection. */
  stream(path: string, query: Query, signal: AbortSignal): AsyncIterable<unknown>;
}

export interface RequestRecord {
  readonly method: Method;
  readonly path: string;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly durationMs: number;
}
