// Who gets copies of requests: the payload log and the shadow peers. Addresses come from here only, never from a request.
import * as z from 'zod';
import { ShadowPeers, isPlainUrl } from '../contract.ts';
import { ConfigError, flag, issuesOf, number, text } from '../env.ts';

export interface PayloadSettings {
  /** A URL, or standard output. */
  readonly sink: URL | 'stdout';
  /** 0 to 1. */
  readonly rate: number;
  readonly timeoutMs: number;
}

export interface ShadowSettings {
  /** A list that stays, or the path of a file that is followed. */
  readonly peers: ShadowPeers['peers'] | string;
  readonly timeoutMs: number;
  /** Show the requests of disagreements. */
  readonly keepBodies: boolean;
}

export interface MonitoringSettings {
  readonly payloads?: PayloadSettings;
  readonly shadow?: ShadowSettings;
  /** Names of fields that leave this process in no copy. */
  readonly redacted: readonly string[];
  readonly namespace?: string;
}

const sink = text.transform((value, context) => {
  if (value === undefined || value === 'stdout') return value;
  if (isPlainUrl(value)) return new URL(value);
  context.addIssue({
    code: 'custom',
    message: 'must be stdout, or a URL such as http://broker/default, without password or query',
  });
  return undefined;
});

const names = text.transform((value) =>
  (value ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);

const Environment = z.object({
  PAYLOAD_LOG_SINK: sink,
  PAYLOAD_LOG_PERCENT: number(0, 100, 100),
  PAYLOAD_LOG_TIMEOUT_SECONDS: number(0.01, 60, 5),
  SHADOW_PEERS: names,
  SHADOW_PEERS_FILE: text,
  SHADOW_PERCENT: number(0, 100, 100),
  SHADOW_TIMEOUT_SECONDS: number(0.01, 60, 5),
  SHADOW_KEEP_BODIES: flag,
  REDACT_FIELDS: names,
  POD_NAMESPACE: text,
});
type Values = z.infer<typeof Environment>;

/** Throws ConfigError. */
export function monitoringSettings(env: NodeJS.ProcessEnv): MonitoringSettings {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) throw new ConfigError(issuesOf(parsed.error));
  const { REDACT_FIELDS: redacted, POD_NAMESPACE: namespace } = parsed.data;
  const [payloads, shadow] = [payloadsOf(parsed.data), shadowOf(parsed.data)];
  return {
    ...(payloads && { payloads }),
    ...(shadow && { shadow }),
    redacted,
    ...(namespace !== undefined && { namespace }),
  };
}

function payloadsOf(values: Values): PayloadSettings | undefined {
  const { PAYLOAD_LOG_SINK: sink, PAYLOAD_LOG_PERCENT: percent, PAYLOAD_LOG_TIMEOUT_SECONDS: seconds } = values;
  if (sink === undefined || percent === 0) return undefined;
  return { sink, rate: percent / 100, timeoutMs: seconds * 1000 };
}

function shadowOf(values: Values): ShadowSettings | undefined {
  const { SHADOW_PEERS: given, SHADOW_PEERS_FILE: path, SHADOW_PERCENT: percent } = values;
  const more = { timeoutMs: values.SHADOW_TIMEOUT_SECONDS * 1000, keepBodies: values.SHADOW_KEEP_BODIES };
  if (path !== undefined && given.length > 0) {
    throw new ConfigError('SHADOW_PEERS: stands in the way of SHADOW_PEERS_FILE: set one of them');
  }
  if (path !== undefined) return { peers: path, ...more };
  if (given.length === 0) return undefined;
  const parsed = ShadowPeers.safeParse({ peers: given.map((item) => ({ ...addressOf(item), percent })) });
  if (parsed.success) return { ...parsed.data, ...more };
  throw new ConfigError(`SHADOW_PEERS: ${parsed.error.issues[0]?.message ?? 'not usable'}`);
}

/** `name=url`; a URL alone is called by its host. */
function addressOf(item: string): { readonly name: string; readonly url: string } {
  const [, name, url = ''] = /^([A-Za-z0-9._-]+)=(.*)$/.exec(item) ?? [];
  return name === undefined ? { name: URL.parse(item)?.host ?? item, url: item } : { name, url };
}
