// What we mean an object to be, compared with what we meant before and with what is there.
import { createHash } from 'node:crypto';
import { isRecord } from './objects.ts';

/** sha256 of the JSON with its keys in order. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

function canonicalJson(value: unknown): string {
  const sorted = (_: string, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
  return JSON.stringify(value, sorted);
}

/** Every field of `intent` has its value in `live`, which may have more. A value that the server spells differently counts as changed: it is applied again. */
export function shows(live: unknown, intent: unknown): boolean {
  if (Array.isArray(intent))
    return (
      Array.isArray(live) && live.length === intent.length && intent.every((item, index) => shows(live[index], item))
    );
  if (isRecord(intent))
    return (
      isRecord(live) && Object.entries(intent).every(([name, value]) => value === undefined || shows(live[name], value))
    );
  return live === intent;
}
