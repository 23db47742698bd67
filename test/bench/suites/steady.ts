// What the operator asks of the API server when nothing happens.
import { setTimeout as sleep } from 'node:timers/promises';
import { asStep } from '../../progress.ts';
import {
  auditPosition,
  entriesSince,
  isRead,
  OPERATOR_USER,
  operatorWrites,
  summarize,
  type AuditEntry,
} from '../../demo/audit.ts';
import { serve } from '../../demo/steps/serve.ts';
import type { BenchContext, BenchResult, BenchRow } from '../suite.ts';

/** Pods and endpoints that have just become ready still cause events. */
const SETTLE_MS = 20_000;
const ROUTER_USER = /^system:serviceaccount:ml:.*--router$/;

export async function runSteady({ stage, onProgress, minutes }: BenchContext): Promise<BenchResult> {
  const { signal, cluster } = stage;
  await asStep(onProgress, { step: 'Two variants, two pods each', expectedSeconds: 15 }, async () => serve(stage));
  await sleep(SETTLE_MS, undefined, { signal });
  const position = await auditPosition(cluster.auditLog);
  const step = { step: 'Nothing happens', expectedSeconds: minutes * 60 };
  await asStep(onProgress, step, async () => sleep(minutes * 60_000, undefined, { signal }));
  return evaluate(await entriesSince(cluster.auditLog, position), minutes);
}

/** Figures of so many minutes of the audit log. */
export function evaluate(entries: readonly AuditEntry[], minutes: number): BenchResult {
  const own = entries.filter(({ user }) => user === OPERATOR_USER);
  const writes = operatorWrites(entries);
  const leases = own.filter(({ resource }) => resource === 'leases');
  const reads = own.filter((entry) => isRead(entry) && entry.resource !== 'leases');
  const routers = entries.filter(({ user }) => ROUTER_USER.test(user));
  const perMinute = (name: string, some: readonly AuditEntry[]): BenchRow => ({
    name,
    value: Math.round((some.length / minutes) * 100) / 100,
    unit: '1/min',
  });
  return {
    rows: [
      { name: 'minutes', value: minutes, unit: 'min' },
      { name: 'operator_writes', value: writes.length, unit: 'count' },
      perMinute('operator_reads_per_minute', reads),
      perMinute('operator_lease_requests_per_minute', leases),
      perMinute('router_requests_per_minute', routers),
    ],
    notes: [
      `Requests in the audit log of ${OPERATOR_USER} (two pods, two resources) and of the routers. Without the lease, reads and writes are:`,
      ...summarize([...writes, ...reads]).map((line) => `  ${line}`),
    ],
  };
}
