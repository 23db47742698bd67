// Fingerprints: the same for equal values, in every process and at every time.
import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** SHA-256 of a text, 64 hex digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** SHA-256 of a value's canonical JSON, 64 hex digits. */
export function hashOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
