// How an environment variable is read: trimmed, checked against its bounds, with a message for the person who set it.
import { z } from 'zod';

/** An environment variable that is set to nothing counts as not set. */
export const text = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value.trim() === '' ? undefined : value.trim()));

export function number(min: number, max: number, fallback: number) {
  return text
    .transform((value) => (value === undefined ? fallback : Number(value)))
    .refine((value) => value >= min && value <= max, `must be a number from ${min} to ${max}`);
}

export function whole(min: number, max: number, fallback: number) {
  return number(min, max, fallback).refine(Number.isInteger, `must be a whole number from ${min} to ${max}`);
}

export const flag = text
  .transform((value) => (value ?? 'false').toLowerCase())
  .refine((value) => ['true', 'false', '1', '0'].includes(value), 'must be true or false')
  .transform((value) => value === 'true' || value === '1');

/** Every issue with the name of its variable. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** The environment or the desired artifact file cannot be used. The message is for the person who set it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
