// Who asked the API server for what: its audit log, one JSON line for each request that it has answered.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import * as z from 'zod';

const Entry = z.object({
  stage: z.string(),
  verb: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z
    .object({ resource: z.string(), namespace: z.string().optional(), name: z.string().optional() })
    .optional(),
});

export interface AuditEntry {
  readonly verb: string;
  readonly user: string;
  readonly resource: string;
  readonly name: string;
}

const READS = new Set(['get', 'list', 'watch']);
export const OPERATOR_USER = 'system:serviceaccount:switchyard-system:switchyard-operator';

/** A request that has ended; undefined for other stages and for the part of a line at the end of the file. */
export function readEntry(line: string): AuditEntry | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = Entry.safeParse(json);
  if (!parsed.success || parsed.data.stage !== 'ResponseComplete') return undefined;
  const { verb, user, objectRef } = parsed.data;
  return { verb, user: user.username, resource: objectRef?.resource ?? '', name: objectRef?.name ?? '' };
}

export const isRead = ({ verb }: AuditEntry): boolean => READS.has(verb);

/** Writes of the operator that are not the renewal of its lease. */
export function operatorWrites(entries: readonly AuditEntry[]): AuditEntry[] {
  return entries.filter((entry) => entry.user === OPERATOR_USER && !isRead(entry) && entry.resource !== 'leases');
}

/** `3 × patch modeldeployments/retail`, most frequent first. */
export function summarize(entries: readonly AuditEntry[]): string[] {
  const counts = new Map<string, number>();
  for (const { verb, resource, name } of entries) {
    const what = `${verb} ${resource}${name === '' ? '' : `/${name}`}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([what, count]) => `${count} × ${what}`);
}

/** Where the log ends now. */
export async function auditPosition(path: string): Promise<number> {
  return (await stat(path)).size;
}

/** Requests that were answered since `position`. */
export async function entriesSince(path: string, position: number): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const line of createInterface({ input: createReadStream(path, { start: position }) })) {
    const entry = readEntry(line);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}
