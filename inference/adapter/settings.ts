// What the adapter has to know of the container beside it: defaults are those of the Python service. Everything is on loopback, and nothing of it ever
// comes from a request.
import * as z from 'zod';
import { ConfigError, flag, issuesOf, number, text, whole } from '../env.ts';

const PATH = /^\/[A-Za-z0-9._~:@!$&()*+,;=%/?-]{0,255}$/;
const FIELD = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){0,7}$/;

/** A call of the other container's own API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path and query. */
  readonly path: string;
}

export interface AdapterSettings {
  /** The other container's port on 127.0.0.1. */
  readonly port: number;
  /** Where it reads its model. A name that ends in .tar.gz or .tgz gets the archive as it is, any other name the model file out of it. */
  readonly modelPath: string;
  /** What makes it read that file again; absent: only a restart does. */
  readonly reload?: Call;
  /** What it says of its model; absent: only whether it is ready is known. */
  readonly info?: { readonly path: string; readonly versionField: string; readonly loadedField: string };
  readonly readyPath: string;
  /** Longest time from the reload call until it shows the new model, in milliseconds. */
  readonly reloadMs: number;
  /** How long it may be without a model, after a reload call, before that has failed. */
  readonly unreadyMs: number;
  /** Pause between two looks at it. */
  readonly checkMs: number;
  /** Read the model with our own reader before it is handed over. */
  readonly readModel: boolean;
}

/** `none` stands for "there is no such thing". */
function optional<T>(fallback: T, parse: (value: string) => T | undefined, hint: string) {
  return text.transform((value, context) => {
    if (value === undefined) return fallback;
    if (value.toLowerCase() === 'none') return undefined;
    const parsed = parse(value);
    if (parsed === undefined) context.addIssue({ code: 'custom', message: hint });
    return parsed;
  });
}

function path(fallback: string) {
  return text
    .transform((value) => value ?? fallback)
    .refine((value) => PATH.test(value), 'must be a path such as /ready, no URL');
}

function field(fallback: string) {
  return text
    .transform((value) => value ?? fallback)
    .refine((value) => FIELD.test(value), 'must be the name of a field, such as version or model.version');
}

function parseCall(value: string): Call | undefined {
  const [, method = 'POST', target = ''] = /^(?:(GET|POST|PUT) )?(\S+)$/.exec(value) ?? [];
  return PATH.test(target) ? { method: method as Call['method'], path: target } : undefined;
}

const Environment = z.object({
  ADAPTER: flag,
  ADAPTER_PORT: whole(1, 65_535, 8080),
  ADAPTER_MODEL_PATH: text
    .transform((value) => value ?? '/var/lib/switchyard/model/model.tar.gz')
    .refine((value) => /^\/.*[^/]$/.test(value), 'must be the absolute path of a file'),
  ADAPTER_RELOAD: optional<Call>(
    { method: 'POST', path: '/model/reload' },
    parseCall,
    'must be a call such as "POST /model/reload", or none',
  ),
  ADAPTER_INFO: optional('/model/info', (value) => (PATH.test(value) ? value : undefined), 'must be a path, or none'),
  ADAPTER_VERSION_FIELD: field('version'),
  ADAPTER_LOADED_FIELD: field('loaded_at'),
  ADAPTER_READY: path('/ready'),
  ADAPTER_RELOAD_SECONDS: number(0.05, 3600, 60),
  ADAPTER_UNREADY_SECONDS: number(0, 600, 1),
  ADAPTER_CHECK_SECONDS: number(0.05, 3600, 5),
  ADAPTER_READ_MODEL: flag,
});

/** The settings of an adapter; undefined unless `ADAPTER` is true. Throws ConfigError. */
export function adapterSettings(env: NodeJS.ProcessEnv): AdapterSettings | undefined {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) throw new ConfigError(issuesOf(parsed.error));
  const values = parsed.data;
  if (!values.ADAPTER) return undefined;
  const { ADAPTER_RELOAD: reload, ADAPTER_INFO: info } = values;
  return {
    port: values.ADAPTER_PORT,
    modelPath: values.ADAPTER_MODEL_PATH,
    ...(reload && { reload }),
    ...(info !== undefined && {
      info: { path: info, versionField: values.ADAPTER_VERSION_FIELD, loadedField: values.ADAPTER_LOADED_FIELD },
    }),
    readyPath: values.ADAPTER_READY,
    reloadMs: values.ADAPTER_RELOAD_SECONDS * 1000,
    unreadyMs: values.ADAPTER_UNREADY_SECONDS * 1000,
    checkMs: values.ADAPTER_CHECK_SECONDS * 1000,
    readModel: values.ADAPTER_READ_MODEL,
  };
}
