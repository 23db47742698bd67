// The environment, checked once at the start and frozen. Names and defaults of the Python service hold; every message names the variable and the way out.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { ADAPTER_PORT, ADMIN_PORT, DesiredArtifact, GRPC_PORT, PUBLIC_PORT } from './contract.ts';
import type { ArtifactRef, StoreSettings } from './contract.ts';
import type { CorsOrigins } from './cors.ts';
import { adapterSettings } from './adapter/settings.ts';
import type { AdapterSettings } from './adapter/settings.ts';
import { wholeCores } from './cores.ts';
import { monitoringSettings } from './monitoring/settings.ts';
import type { MonitoringSettings } from './monitoring/settings.ts';
import { ConfigError, baseUrl, bearer, endpoint, flag, issuesOf, number, text, token, whole } from './env.ts';
import { authorizationOf } from './http-object.ts';

export { ConfigError } from './env.ts';

const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
  FATAL: 'fatal',
} as const;
const MiB = 1024 * 1024;
const MOST_THREADS = 64;

const level = text
  .transform((value) => (value ?? 'INFO').toUpperCase())
  .refine((value) => value in LEVELS, `must be one of ${Object.keys(LEVELS).join(', ')}`)
  .transform((value) => LEVELS[value as keyof typeof LEVELS]);

/** `*`, `none`, or a list of origins. */
function corsOrigins(value: string, context: z.RefinementCtx): CorsOrigins {
  if (value === '*') return value;
  if (value === 'none') return [];
  const origins = value.split(',').map((origin) => origin.trim());
  if (!origins.every((origin) => /^https?:\/\/[^/\s]+$/.test(origin))) {
    context.addIssue({
      code: 'custom',
      message: 'must be *, none, or origins such as https://shop.example, separated by commas',
    });
  }
  return origins;
}

const Environment = z.object({
  DESIRED_ARTIFACT_FILE: text,
  MODEL_BUCKET: text.transform((value) => value ?? 'mlops-retail-models'),
  MODEL_KEY: text.transform((value) => value ?? 'artifacts/model-v1/model.tar.gz'),
  AWS_REGION: text,
  AWS_ENDPOINT_URL_S3: endpoint,
  S3_FORCE_PATH_STYLE: flag,
  MODEL_STORE_URL: baseUrl,
  MODEL_STORE_TOKEN: bearer,
  MODEL_STORE_USERNAME: text,
  MODEL_STORE_PASSWORD: text,
  MODEL_PATH: text.transform((value) => value ?? 'model/model.tar.gz'),
  MODEL_POLL_SECONDS: number(0, 86_400, 0),
  MODEL_DEPLOYMENT: text,
  VARIANT: text,
  HOST: text.transform((value) => value ?? '0.0.0.0'),
  PORT: whole(0, 65_535, PUBLIC_PORT),
  GRPC_PORT: whole(0, 65_535, GRPC_PORT),
  ADMIN_PORT: whole(0, 65_535, ADMIN_PORT),
  ADMIN_TOKEN: token,
  ALLOW_PUBLIC_RELOAD: flag,
  ALLOW_SCHEMA_CHANGE: flag,
  LOG_LEVEL: level,
  ACCESS_LOG_EVERY: whole(0, 1e9, 0),
  ARTIFACT_DIR: text,
  CORS_ORIGINS: text.transform((value, context) => corsOrigins(value ?? '*', context)),
  MAX_ROWS: whole(1, 1e6, 10_000),
  MAX_BODY_BYTES: whole(1, 64 * MiB, MiB),
  MAX_ARTIFACT_BYTES: whole(1, 64 * 1024 * MiB, 1024 * MiB),
  MAX_MODEL_BYTES: whole(1, 64 * 1024 * MiB, 2048 * MiB),
  LOAD_TIMEOUT_SECONDS: number(0.1, 3600, 300),
  STALL_SECONDS: number(0.05, 600, 20),
  DRAIN_SECONDS: number(0, 600, 5),
  SHUTDOWN_SECONDS: number(0, 600, 10),
  SERVING_THREADS: whole(0, MOST_THREADS, 0),
  DRIFT_WINDOW_SECONDS: number(0, 30 * 86_400, 3600),
  DRIFT_MIN_ROWS: whole(1, 1e9, 200),
});

/** Where the model comes from: an object of a store, or a file or directory of this machine. */
export type Origin =
  { readonly kind: 'object'; readonly artifact: ArtifactRef } | { readonly kind: 'file'; readonly path: string };

export interface Config {
  /** Another container answers the requests, and we hand models over to it. */
  readonly adapter?: AdapterSettings;
  readonly origin: Origin;
  /** What a store of kind http gets as Authorization. S3 has its own ways to find credentials. */
  readonly storeAuthorization?: string;
  /** Revision and fencing number of the desired artifact; a server that runs alone starts at 0. */
  readonly sequence: number;
  readonly revision?: string;
  readonly siblings?: string;
  readonly modelDeployment?: string;
  readonly variant: string;
  readonly host: string;
  readonly port: number;
  /** 0: there is no gRPC. */
  readonly grpcPort: number;
  readonly adminPort: number;
  readonly adminToken?: string;
  readonly allowPublicReload: boolean;
  /** A reload may bring other features, classes or outputs. */
  readonly allowSchemaChange: boolean;
  readonly logLevel: (typeof LEVELS)[keyof typeof LEVELS];
  /** One request in so many is logged at info; 0: none. */
  readonly accessLogEvery: number;
  readonly artifactDir: string;
  /** Nobody has chosen the directory: it goes with the process. */
  readonly artifactDirIsTemporary: boolean;
  readonly pollMs: number;
  readonly corsOrigins: CorsOrigins;
  /** Most rows in one request of V1 or V2. */
  readonly maxRows: number;
  readonly maxBodyBytes: number;
  readonly maxArtifactBytes: number;
  readonly maxModelBytes: number;
  readonly loadTimeoutMs: number;
  readonly stallMs: number;
  readonly drainMs: number;
  readonly shutdownMs: number;
  /** Threads that answer requests; 1: the main one alone. */
  readonly servingThreads: number;
  /** What is compared with the reference of the model: 0 turns drift off. */
  readonly driftWindowMs: number;
  readonly driftMinRows: number;
  readonly monitoring: MonitoringSettings;
}

/** Reads the environment; `read` is the file reader, replaced in tests. Throws ConfigError. */
export function loadConfig(env: NodeJS.ProcessEnv, read = (path: string) => readFileSync(path, 'utf8')): Config {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) throw new ConfigError(issuesOf(parsed.error));
  const values = parsed.data;
  const desired = values.DESIRED_ARTIFACT_FILE && readDesired(values.DESIRED_ARTIFACT_FILE, read);
  const adapter = adapterSettings(env);
  const storeAuthorization = storeAuthorizationOf(values);
  return Object.freeze({
    ...(adapter && { adapter }),
    ...(desired ? fromDesired(desired, values.AWS_REGION) : fromEnvironment(values)),
    ...(storeAuthorization !== undefined && { storeAuthorization }),
    host: values.HOST,
    ...portsOf(values, adapter, (env['GRPC_PORT'] ?? '').trim() !== ''),
    ...(values.ADMIN_TOKEN !== undefined && { adminToken: values.ADMIN_TOKEN }),
    allowPublicReload: values.ALLOW_PUBLIC_RELOAD,
    allowSchemaChange: values.ALLOW_SCHEMA_CHANGE,
    logLevel: values.LOG_LEVEL,
    accessLogEvery: values.ACCESS_LOG_EVERY,
    artifactDir: values.ARTIFACT_DIR ?? join(tmpdir(), `switchyard-artifacts-${values.PORT || process.pid}`),
    artifactDirIsTemporary: values.ARTIFACT_DIR === undefined,
    pollMs: desired ? 0 : values.MODEL_POLL_SECONDS * 1000,
    corsOrigins: values.CORS_ORIGINS,
    maxRows: values.MAX_ROWS,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxArtifactBytes: values.MAX_ARTIFACT_BYTES,
    maxModelBytes: values.MAX_MODEL_BYTES,
    loadTimeoutMs: values.LOAD_TIMEOUT_SECONDS * 1000,
    stallMs: values.STALL_SECONDS * 1000,
    drainMs: values.DRAIN_SECONDS * 1000,
    shutdownMs: values.SHUTDOWN_SECONDS * 1000,
    servingThreads: servingThreads(values.SERVING_THREADS, read),
    driftWindowMs: values.DRIFT_WINDOW_SECONDS * 1000,
    driftMinRows: values.DRIFT_MIN_ROWS,
    monitoring: monitoringSettings(env),
  });
}

function servingThreads(given: number, read: (path: string) => string): number {
  return given === 0 ? Math.min(wholeCores(read), MOST_THREADS) : given;
}

type Ports = Pick<Config, 'port' | 'grpcPort' | 'adminPort'>;

/** Throws ConfigError when two of them are the same. */
function portsOf(
  values: z.infer<typeof Environment>,
  adapter: AdapterSettings | undefined,
  isGrpcPortGiven: boolean,
): Ports {
  refuseSamePort(values);
  const { PORT, ADMIN_PORT: adminPort } = values;
  const port = adapter !== undefined && PORT === PUBLIC_PORT ? ADAPTER_PORT : PORT;
  if (port !== 0 && port === adapter?.port) {
    throw new ConfigError(`PORT: ${port} is ADAPTER_PORT, the other container's`);
  }
  return { port, grpcPort: grpcPortOf(values, isGrpcPortGiven), adminPort };
}

function refuseSamePort({ PORT, ADMIN_PORT: admin, ADMIN_TOKEN: token }: z.infer<typeof Environment>): void {
  if (token === undefined || admin !== PORT || PORT === 0) return;
  throw new ConfigError(`ADMIN_PORT: must differ from PORT, both are ${PORT}`);
}

/** An environment that was written without gRPC in mind may have given its default port to something else: gRPC is off then. */
function grpcPortOf({ GRPC_PORT: port, ...values }: z.infer<typeof Environment>, isGiven: boolean): number {
  const { PORT, ADMIN_PORT, ADMIN_TOKEN: token } = values;
  const others = { PORT, ...(token !== undefined && { ADMIN_PORT }) };
  const [other] = Object.entries(others).find(([, taken]) => taken === port) ?? [];
  if (port === 0 || other === undefined) return port;
  if (!isGiven) return 0;
  throw new ConfigError(`GRPC_PORT: must differ from ${other}, both are ${port}; 0 turns gRPC off`);
}

type Chosen = Pick<Config, 'origin' | 'sequence' | 'revision' | 'siblings' | 'modelDeployment' | 'variant'>;

function fromDesired(desired: DesiredArtifact, region: string | undefined): Chosen {
  const { artifact, sequence, siblings, modelDeployment, variant, revision } = desired;
  const isWithout = region === undefined || artifact.store.kind === 'http';
  const store = isWithout ? artifact.store : { region, ...artifact.store };
  const origin = { kind: 'object', artifact: { ...artifact, store } } as const;
  return { origin, sequence, revision, modelDeployment, variant, ...(siblings !== undefined && { siblings }) };
}

function fromEnvironment(values: z.infer<typeof Environment>): Chosen {
  const { MODEL_DEPLOYMENT: modelDeployment, MODEL_BUCKET: bucket, MODEL_KEY: key } = values;
  const store = storeFrom(values);
  return {
    origin:
      store === undefined
        ? { kind: 'file', path: values.MODEL_PATH }
        : { kind: 'object', artifact: { store, bucket, key } },
    sequence: 0,
    variant: values.VARIANT ?? 'default',
    ...(modelDeployment !== undefined && { modelDeployment }),
  };
}

/** AWS_REGION is often set by whoever runs the container, MODEL_STORE_URL only by a person who means it. */
function storeFrom(values: z.infer<typeof Environment>): StoreSettings | undefined {
  const { MODEL_STORE_URL: url, AWS_REGION: region, AWS_ENDPOINT_URL_S3: endpoint } = values;
  if (url !== undefined) return { kind: 'http', url };
  if (region === undefined) return undefined;
  return { forcePathStyle: values.S3_FORCE_PATH_STYLE, ...(endpoint !== undefined && { endpoint }), region };
}

function storeAuthorizationOf(values: z.infer<typeof Environment>): string | undefined {
  const { MODEL_STORE_TOKEN: token, MODEL_STORE_USERNAME: username, MODEL_STORE_PASSWORD: password } = values;
  return authorizationOf({ token, username, password });
}

function readDesired(path: string, read: (path: string) => string): DesiredArtifact {
  const explain = (why: string) =>
    `DESIRED_ARTIFACT_FILE: ${path} ${why}. Unset it to serve MODEL_BUCKET/MODEL_KEY or MODEL_PATH`;
  let content: unknown;
  try {
    content = JSON.parse(read(path));
  } catch (error) {
    throw new ConfigError(explain(`cannot be read as JSON (${error instanceof Error ? error.message : 'unknown'})`), {
      cause: error,
    });
  }
  const parsed = DesiredArtifact.safeParse(content);
  if (!parsed.success) throw new ConfigError(explain(`does not hold a desired artifact (${issuesOf(parsed.error)})`));
  return parsed.data;
}
