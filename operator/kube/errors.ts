// One error class for everything the API server answers or fails to answer; callers branch on intent, never on text.

interface KubeErrorFields {
  /** HTTP status; 0 when there was no answer (connection, TLS, deadline). */
  readonly status: number;
  /** `reason` of the API server's Status object, else a word of ours: `Timeout`, `Unreachable`, `Malformed`. */
  readonly reason: string;
  readonly message: string;
  /** What the server asked for in Retry-After, in ms. */
  readonly retryAfterMs?: number;
}

/** A request that the API server refused, or that did not reach it. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(fields: KubeErrorFields, options?: ErrorOptions) {
    super(fields.message, options);
    this.status = fields.status;
    this.reason = fields.reason;
    this.retryAfterMs = fields.retryAfterMs;
  }

  /** Somebody else wrote first, a precondition (uid, resourceVersion) does not hold, or another field manager owns a field. */
  get isConflict(): boolean {
    return this.status === 409;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }

  /** The resourceVersion or the continue token is too old: list again. */
  get isExpired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }

  get isUnauthorized(): boolean {
    return this.status === 401;
  }

  /** Not allowed, which includes a quota that is used up and a namespace that is being deleted. */
  get isForbidden(): boolean {
    return this.status === 403;
  }

  get isQuotaExceeded(): boolean {
    return this.isForbidden && this.message.includes('exceeded quota');
  }

  get isThrottled(): boolean {
    return this.status === 429;
  }

  /** What was sent does not fit the schema or its rules: the same call fails until one of the two changes. */
  get isInvalid(): boolean {
    return this.status === 422 || isUnknownField(this.status, this.message);
  }

  /** The same call may well succeed later. An apply that names a field which the schema does not have is answered with 500 and fails for ever. */
  get isTransient(): boolean {
    if (isUnknownField(this.status, this.message)) return false;
    return [0, 401, 408, 409, 410, 429].includes(this.status) || this.status >= 500;
  }
}

/** A child's name is taken by an object that our owner does not control. It is never adopted or overwritten. */
export class NameConflictError extends Error {
  override readonly name = 'NameConflictError';
  readonly kind: string;
  readonly object: { readonly namespace: string | undefined; readonly name: string };

  constructor(
    kind: string,
    object: { readonly namespace: string | undefined; readonly name: string },
    options?: ErrorOptions,
  ) {
    super(`${kind} ${object.name} exists and belongs to somebody else`, options);
    this.kind = kind;
    this.object = object;
  }
}

/** We no longer hold the lease, or cannot be sure of it: nothing may be written. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

/** Any failure of a request as a KubeError. */
export function toKubeError(error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const reason = error instanceof Error && error.name === 'TimeoutError' ? 'Timeout' : 'Unreachable';
  return new KubeError({ status: 0, reason, message }, { cause: error });
}

/** The KubeError in an HTTP answer with `status`, whose body is a Status object or anything else. */
export function fromAnswer(status: number, body: string, retryAfterMs: number | undefined): KubeError {
  const { reason, message } = parseStatus(body);
  return new KubeError({
    status,
    reason: reason ?? `HTTP${status}`,
    message: message ?? `the API server answered ${status}: ${body.slice(0, 200)}`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** The KubeError in a Status object that came inside a watch stream. */
export function fromStatusObject(object: unknown): KubeError {
  const fields = typeof object === 'object' && object !== null ? object : {};
  const code = 'code' in fields && typeof fields.code === 'number' ? fields.code : 500;
  return fromAnswer(code, JSON.stringify(object ?? null), undefined);
}

function parseStatus(body: string): { reason?: string; message?: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return {};
    return {
      ...('reason' in parsed && typeof parsed.reason === 'string' && parsed.reason !== '' && { reason: parsed.reason }),
      ...('message' in parsed && typeof parsed.message === 'string' && { message: parsed.message }),
    };
  } catch {
    return {};
  }
}

function isUnknownField(status: number, message: string): boolean {
  return status === 500 && message.includes('field not declared in schema');
}
