// What we mean an object to be, compared with what is there.
import { isRecord } from './objects.ts';

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
