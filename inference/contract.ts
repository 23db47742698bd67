// What the model server says to others on its admin port, and the file that tells it what to serve. The operator imports these schemas; nothing else here.
import * as z from 'zod';

/** Default port of the public API. */
export const PUBLIC_PORT = 8080;
/** Default port of an adapter's health and metrics: beside it, PUBLIC_PORT is the other container's. */
export const ADAPTER_PORT = 8082;
/** Default port of the public API over gRPC. */
export const GRPC_PORT = 9000;
/** Default port of the admin API, which asks for a bearer token. */
export const ADMIN_PORT = 8081;

/** Whether an address is a web address and nothing more: the password of a URL would stand in logs. */
export function isPlainUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username + url.password + url.search + url.hash === '';
}

export const S3Settings = z.strictObject({
  kind: z.literal('s3').optional(),
  endpoint: z.url().optional(),
  region: z.string().min(1).optional(),
  forcePathStyle: z.boolean().default(false),
});
export type S3Settings = z.infer<typeof S3Settings>;

/** A web server: an object is at `<url>/<bucket>/<key>`. */
export const HttpSettings = z.strictObject({
  kind: z.literal('http'),
  url: z.string().refine(isPlainUrl, 'must be a URL such as https://files.example/models, without password or query'),
});
export type HttpSettings = z.infer<typeof HttpSettings>;

/** How to reach an object store; from the operator's configuration, never from a resource. */
export const StoreSettings = z.discriminatedUnion('kind', [S3Settings, HttpSettings]);
export type StoreSettings = z.infer<typeof StoreSettings>;

const version = {
  key: z.string().min(1).max(1024),
  versionId: z.string().min(1).max(1024).optional(),
  etag: z.string().min(1).max(1024).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  size: z.int().min(0).optional(),
};

/** One exact version of one object. */
export const ArtifactRef = z.strictObject({ store: StoreSettings, bucket: z.string().min(1), ...version });
export type ArtifactRef = z.infer<typeof ArtifactRef>;

/** Content of the file named by DESIRED_ARTIFACT_FILE: read once at process start. */
export const DesiredArtifact = z.strictObject({
  artifact: ArtifactRef,
  sequence: z.int().min(0),
  /** Base URL of the admin port of the variant's ready pods, for artifacts that the store no longer has. */
  siblings: z.url().optional(),
  modelDeployment: z.string(),
  variant: z.string(),
  revision: z.string(),
});
export type DesiredArtifact = z.infer<typeof DesiredArtifact>;

export const ShadowPeer = z.strictObject({
  /** Of the variant; a label of metrics. */
  name: z.string().min(1).max(63),
  /** Base URL of its public port. */
  url: z.string().refine(isPlainUrl, 'must be a URL such as http://retail--candidate, without password or query'),
  /** Of the requests that this server answers. */
  percent: z.number().min(0).max(100),
});
export type ShadowPeer = z.infer<typeof ShadowPeer>;

/** Content of the file named by SHADOW_PEERS_FILE: read again when it changes. */
export const ShadowPeers = z.strictObject({
  peers: z
    .array(ShadowPeer)
    .max(8)
    .refine((peers) => new Set(peers.map(({ name }) => name)).size === peers.length, 'a name is there twice'),
});
export type ShadowPeers = z.infer<typeof ShadowPeers>;

/** Body of POST /model/reload on the admin port. The bucket and store are those of the pod. */
export const ReloadRequest = z.strictObject({
  /** Fencing: a sequence lower than one already seen is refused with 409. */
  sequence: z.int().min(0),
  revision: z.string().max(64).optional(),
  ...version,
  /** Revisions to hold for an instant rollback. */
  keep: z.array(z.string().max(64)).max(16).default([]),
  /** Take it although its features, classes or outputs are not those of the active model. */
  allowSchemaChange: z.boolean().default(false),
  /** Seconds to wait for the load before answering 202. */
  wait: z.number().min(0).max(300).default(30),
});
export type ReloadRequest = z.infer<typeof ReloadRequest>;
export type ReloadBody = z.input<typeof ReloadRequest>;

/** The artifact is bad: another attempt cannot help. Answered with 422. */
export const ARTIFACT_REASONS = [
  'ArtifactInvalid', // the archive or metadata.json
  'ArtifactTooLarge',
  'ChecksumMismatch',
  'UnsupportedModel', // a class or global that is not on the allow-list
  'LoadFailed', // damaged model file
  'SchemaIncompatible',
  'GoldenMismatch',
  'InsufficientMemory',
] as const;
/** The surroundings are: the same call may succeed later. Answered with 502. */
export const STORE_REASONS = [
  'NoSuchKey',
  'NoSuchBucket',
  'AccessDenied',
  'ObjectChanged',
  'StoreUnreachable',
  'LoadTimeout',
  'DiskFull',
  'RuntimeUnreachable', // adapter: the container beside it is not there, or has no model and does not take one
] as const;
/** The call came too late. Answered with 409. */
export const ORDER_REASONS = ['StaleSequence', 'Superseded'] as const;

export const Failure = z.object({
  reason: z.enum([...ARTIFACT_REASONS, ...STORE_REASONS, ...ORDER_REASONS, 'InvalidRequest', 'InternalError']),
  message: z.string(),
});
export type Failure = z.infer<typeof Failure>;
export type FailureReason = Failure['reason'];

/** The version that answers requests right now. */
export const ActiveModel = z.object({
  revision: z.string().optional(),
  version: z.string(),
  ...version,
  key: z.string().optional(),
  sha256: z.string(),
});
export type ActiveModel = z.infer<typeof ActiveModel>;

/** Every answer of POST /model/reload. 200 loaded | unchanged, 202 loading, else `error`. */
export const ReloadAnswer = z.object({
  status: z.enum(['loaded', 'unchanged', 'loading']).optional(),
  durationMs: z.number().optional(),
  active: ActiveModel.nullable(),
  error: Failure.optional(),
});
export type ReloadAnswer = z.infer<typeof ReloadAnswer>;

/** GET /model/info on the admin port; the public port answers the same without `failure` and `loading`, and with 503 while nothing is loaded. */
export const ModelInfo = z.object({
  version: z.string().nullable(),
  model_type: z.string().nullable(),
  features: z.array(z.string()),
  metrics: z.record(z.string(), z.unknown()),
  loaded_at: z.string().nullable(),
  artifact: ActiveModel.nullable(),
  variant: z.string(),
  /** Highest sequence seen so far, from the file or a reload call. */
  sequence: z.int(),
  /** Why the last load failed; absent after a successful one. */
  failure: Failure.extend({ revision: z.string().optional(), sequence: z.int() }).optional(),
  /** The load under way, which may end in another version than the one that answers now; absent: none. */
  loading: z.object({ revision: z.string().optional(), sequence: z.int() }).optional(),
});
export type ModelInfo = z.infer<typeof ModelInfo>;

/** Body of POST /drain: an id that is new begins a drain of the connections open at that moment; the same id asks how it goes. */
export const DrainRequest = z.strictObject({ id: z.string().min(1).max(64) });
export const DrainAnswer = z.object({ id: z.string(), remaining: z.int().min(0) });
export type DrainAnswer = z.infer<typeof DrainAnswer>;
