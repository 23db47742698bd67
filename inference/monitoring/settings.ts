// Who gets copies of requests: the payload log and the shadow peers. Addresses come from here only, never from a request.
import { z } from 'zod';
import { ConfigError, issuesOf, number, text } from '../env.ts';

export interface PayloadSettings {
  /** A URL, or standard output. */
  readonly sink: URL | 'stdout';
  /** 0 to 1. */
  readonly rate: number;
  readonly timeoutMs: number;
}

export interface MonitoringSettings {
  readonly payloads?: PayloadSettings;
  /** Names of fields that leave this process in no copy. */
  readonly redacted: readonly string[];
  readonly namespace?: string;
}

/** A server that copies are sent to. */
export function isPeerUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username + url.password + url.hash === '';
}

const sink = text.transform((value, context) => {
  if (value === undefined || value === 'stdout') return value;
  if (isPeerUrl(value)) return new URL(value);
  context.addIssue({
    code: 'custom',
    message: 'must be stdout, or a URL such as http://broker/default without a password',
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
  REDACT_FIELDS: names,
  POD_NAMESPACE: text,
});

/** Throws ConfigError. */
export function monitoringSettings(env: NodeJS.ProcessEnv): MonitoringSettings {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) throw new ConfigError(issuesOf(parsed.error));
  const { PAYLOAD_LOG_SINK: sink, PAYLOAD_LOG_PERCENT: percent, REDACT_FIELDS: redacted, ...values } = parsed.data;
  const { POD_NAMESPACE: namespace, PAYLOAD_LOG_TIMEOUT_SECONDS: seconds } = values;
  return {
    ...(sink !== undefined && percent > 0 && { payloads: { sink, rate: percent / 100, timeoutMs: seconds * 1000 } }),
    redacted,
    ...(namespace !== undefined && { namespace }),
  };
}
