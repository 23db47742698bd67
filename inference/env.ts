// How an environment variable is read: trimmed, checked against its bounds, with a message for the person who set it.
import * as z from 'zod';
import { isPlainUrl } from './contract.ts';

/** An environment variable that is set to nothing counts as not set. */
export const text = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value.trim() === '' ? undefined : value.trim()));

/** Digits as people write them: `Number` would take 0x50, 1e3 and Infinity too. */
const DECIMAL = /^-?\d+(\.\d+)?$/;

export function number(min: number, max: number, fallback: number) {
  return text
    .transform((value) => (value === undefined ? fallback : DECIMAL.test(value) ? Number(value) : NaN))
    .refine((value) => value >= min && value <= max, { error: `must be a number from ${min} to ${max}`, abort: true });
}

export function whole(min: number, max: number, fallback: number) {
  return number(min, max, fallback).refine(Number.isInteger, `must be a whole number from ${min} to ${max}`);
}

export const flag = text
  .transform((value) => (value ?? 'false').toLowerCase())
  .refine((value) => ['true', 'false', '1', '0'].includes(value), 'must be true or false')
  .transform((value) => value === 'true' || value === '1');

/** URL of an S3 server. */
export const endpoint = text.pipe(
  z
    .url({ protocol: /^https?$/, error: 'must be a URL such as http://minio:9000' })
    // The endpoint stands in logs.
    .refine(
      (url) => !hasCredentials(url),
      'must not hold a user name or password: AWS_ACCESS_KEY_ID and so on have them',
    )
    .optional(),
);

function hasCredentials(url: string): boolean {
  const { username = '', password = '' } = URL.parse(url) ?? {};
  return username + password !== '';
}

/** Base URL of a web server. */
export const baseUrl = text.refine(
  (value) => value === undefined || isPlainUrl(value),
  'must be a URL such as https://files.example/models, without user name, password or query',
);

const TOKEN = /^[\x21-\x7e]+$/;
/** Somebody else's bearer token: it travels in a header. */
export const bearer = text.refine(
  (value) => value === undefined || TOKEN.test(value),
  'must be one line of printable ASCII characters without blanks',
);
/** One of ours. */
export const token = bearer.refine(
  (value) => value === undefined || value.length >= 16,
  'must have at least 16 characters',
);

/** Every issue with the name of its variable. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** The environment or the desired artifact file cannot be used. The message is for the person who set it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
