// The operator's settings: a YAML file under the environment, checked once at start and then frozen. Only here is the environment read.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { isPlainUrl, type StoreSettings } from '../inference/contract.ts';
import { durationMs } from './domain/duration.ts';
import { LOG_LEVELS } from './logger.ts';

const DEFAULT_FILE = '/etc/switchyard/config.yaml';
/** Below, the resync would be a busy loop. */
const RESYNC_MS = { min: 1000, max: 168 * 3_600_000 };

const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, { error: `must be ${what}` });
const duration = text('a duration such as 30s or 5m')
  .regex(/^([0-9]{1,6}(h|m|s|ms))+$/, { error: 'must be a duration such as 30s or 5m' })
  .transform(durationMs);
const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};
/** Names as Kubernetes takes them (RFC 1123): a namespace is one label, most other names may have dots. */
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const kubeName = (pattern: string, max: number, what: string) =>
  text(what)
    .max(max, { error: `must be ${what}: at most ${max} characters` })
    .regex(new RegExp(`^${pattern}$`), { error: `must be ${what}: small letters, digits and inner dashes` });
const flag = z.boolean({ error: 'must be true or false' });
const names = (what: string) => z.array(text(what), { error: `must be a list of ${what}s, or ["*"] for all` });

/** Who may have the operator ask without a Secret. */
const allowOperatorIdentity = z.strictObject({ namespaces: names('namespace'), buckets: names('bucket') }).optional();

const S3Store = z.strictObject({
  kind: z.literal('s3').optional(),
  endpoint: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://minio.example.com:9000' })
    // The endpoint stands in ConfigMaps and logs.
    .refine((url) => !hasCredentials(url), {
      error: 'must not hold a user name or password: they belong in a Secret',
    })
    .optional(),
  region: text('a region such as us-east-1').optional(),
  forcePathStyle: flag.default(false),
  allowOperatorIdentity,
});

const URL_RULE = 'must be a URL such as https://files.example/models, without user name, password or query';
const HttpStore = z.strictObject({
  kind: z.literal('http'),
  url: text(URL_RULE.slice('must be '.length)).refine(isPlainUrl, { error: URL_RULE }),
  allowOperatorIdentity,
});

const Store = z.discriminatedUnion('kind', [S3Store, HttpStore], {
  error: 'must be s3 or http',
});

const Images = z.strictObject({
  inference: text('an image reference').default('switchyard/inference:0.1.0'),
  operator: text('an image reference').default('switchyard/operator:0.1.0'),
  router: text('an image reference').default('haproxy:3.2'),
});

const LeaderElection = z.strictObject({
  enabled: flag.default(true),
  leaseName: kubeName(`${LABEL}(\\.${LABEL})*`, 253, 'the name of a Lease').default('switchyard-operator'),
});

const Ports = z.strictObject({ health: whole(1, 65535).default(8082), metrics: whole(1, 65535).default(8083) });

const Settings = z.strictObject({
  stores: z
    .record(
      z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, { error: 'must be named by a DNS label such as minio' }),
      Store,
    )
    .default({}),
  defaultBucket: text('the name of a bucket').optional(),
  defaultRegion: text('a region such as us-east-1').optional(),
  images: Images.prefault({}),
  workers: whole(1, 64).default(8),
  resync: duration
    .refine((ms) => ms >= RESYNC_MS.min && ms <= RESYNC_MS.max, { error: 'must be from 1s to 168h' })
    .prefault('5m'),
  leaderElection: LeaderElection.prefault({}),
  ports: Ports.prefault({}),
  logLevel: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  podName: text('the name of this pod').default('switchyard-operator'),
  podNamespace: kubeName(LABEL, 63, 'the namespace of this pod').default('switchyard-system'),
});

/** `resync` is in ms. `stores` always has `aws`. */
export type Config = z.output<typeof Settings>;
export type StoreConfig = Config['stores'][string];

/** What pods are told of a store. */
export function settingsOf(store: StoreConfig): StoreSettings {
  if (store.kind === 'http') return { kind: 'http', url: store.url };
  const { endpoint, region, forcePathStyle } = store;
  return { forcePathStyle, ...(endpoint !== undefined && { endpoint }), ...(region !== undefined && { region }) };
}

/** A store by its name in a resource; undefined when the configuration has none, also for a name such as `constructor`. */
export function storeNamed(stores: Config['stores'], name: string): StoreConfig | undefined {
  return Object.hasOwn(stores, name) ? stores[name] : undefined;
}

type Raw = Readonly<Record<string, unknown>>;

/** The configuration cannot be used; the message names the file or variable, the field and what to write there. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Environment variables and the settings that they override. */
const VARIABLES: Readonly<Record<string, readonly [path: string, read: (value: string) => unknown]>> = {
  MODEL_BUCKET: ['defaultBucket', String],
  AWS_REGION: ['defaultRegion', String],
  INFERENCE_IMAGE: ['images.inference', String],
  OPERATOR_IMAGE: ['images.operator', String],
  ROUTER_IMAGE: ['images.router', String],
  WORKERS: ['workers', numberOrText],
  RESYNC: ['resync', String],
  LEADER_ELECTION: ['leaderElection.enabled', flagOrText],
  LEASE_NAME: ['leaderElection.leaseName', String],
  HEALTH_PORT: ['ports.health', numberOrText],
  METRICS_PORT: ['ports.metrics', numberOrText],
  LOG_LEVEL: ['logLevel', String],
  POD_NAME: ['podName', String],
  POD_NAMESPACE: ['podNamespace', String],
};

/**
 * Settings from the file at SWITCHYARD_CONFIG (default /etc/switchyard/config.yaml, which may be absent) and, over it, from the environment.
 * An empty variable counts as absent. Throws ConfigError.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  readText: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): Config {
  const named = env['SWITCHYARD_CONFIG'] === '' ? undefined : env['SWITCHYARD_CONFIG'];
  const file = named ?? DEFAULT_FILE;
  const fromFile = readSettings(file, named !== undefined, readText);
  const { raw, sources } = withVariables(fromFile, env);
  const parsed = Settings.safeParse(raw);
  if (!parsed.success) throw new ConfigError(describe(parsed.error.issues, file, sources));
  const config = parsed.data;
  return deepFreeze({ ...config, stores: { aws: { forcePathStyle: false }, ...config.stores } });
}

function readSettings(file: string, required: boolean, readText: (path: string) => string): Raw {
  let content: string;
  try {
    content = readText(file);
  } catch (error) {
    const code = codeOf(error);
    if (!required && code === 'ENOENT') return {};
    const fix = code === 'ENOENT' ? 'create it or unset SWITCHYARD_CONFIG' : 'make it readable for the operator';
    throw new ConfigError(`${file}: cannot be read (${code}): ${fix}`, { cause: error });
  }
  return parseYaml(file, content);
}

function parseYaml(file: string, content: string): Raw {
  let value: unknown;
  try {
    value = parse(content) ?? {};
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new ConfigError(`${file}: is not YAML: ${reason}`, { cause: error });
  }
  if (!isMapping(value)) throw new ConfigError(`${file}: must be a mapping such as "stores: {minio: {endpoint: …}}"`);
  return value;
}

function withVariables(
  settings: Raw,
  env: Readonly<Record<string, string | undefined>>,
): { raw: Raw; sources: ReadonlyMap<string, string> } {
  const sources = new Map<string, string>();
  let raw = settings;
  for (const [name, [path, read]] of Object.entries(VARIABLES)) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    sources.set(path, name);
    raw = withValue(raw, path.split('.'), read(value));
  }
  return { raw, sources };
}

function withValue(object: Raw, [head = '', ...rest]: readonly string[], value: unknown): Raw {
  const inner = object[head];
  return { ...object, [head]: rest.length === 0 ? value : withValue(isMapping(inner) ? inner : {}, rest, value) };
}

function describe(issues: readonly z.core.$ZodIssue[], file: string, sources: ReadonlyMap<string, string>): string {
  return issues.map((issue) => describeIssue(issue, file, sources)).join('; ');
}

/** What zod calls them. A field with nothing after its colon is null in YAML. */
const MAPPINGS: readonly string[] = ['object', 'record'];

function describeIssue(issue: z.core.$ZodIssue, file: string, sources: ReadonlyMap<string, string>): string {
  const path = issue.path.map(String).join('.');
  const variable = sources.get(path);
  const place = variable === undefined ? `${file}: ${path}` : `environment variable ${variable}`;
  if (issue.code === 'unrecognized_keys') {
    const fields = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`)).join(', ');
    return `${file}: ${fields}: unknown; remove it or correct its spelling`;
  }
  if (issue.code === 'invalid_type' && MAPPINGS.includes(issue.expected)) {
    return `${place}: must be a mapping such as {}; fill it in or leave it out`;
  }
  if (issue.code === 'invalid_key') return `${place}: ${issue.issues[0]?.message ?? issue.message}`;
  return `${place}: ${issue.message}`;
}

function hasCredentials(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && parsed.username + parsed.password !== '';
}

function isMapping(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function numberOrText(value: string): unknown {
  return /^[0-9]{1,9}$/.test(value) ? Number(value) : value;
}

function flagOrText(value: string): unknown {
  return value === 'true' || value === 'false' ? value === 'true' : value;
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
