// The spec of a Lease: who leads, and since when the record has not changed, on our own clock.
import { isRecord } from './objects.ts';
import { microTime } from './micro-time.ts';

export interface LeaseRecord {
  /** undefined or '': free. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** Anything that is no Lease reads as a free one. */
export function parseLeaseRecord(object: unknown): LeaseRecord {
  const spec = isRecord(object) && isRecord(object['spec']) ? object['spec'] : {};
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = spec;
  return {
    ...(typeof holderIdentity === 'string' && holderIdentity !== '' && { holderIdentity }),
    ...(typeof leaseDurationSeconds === 'number' && { leaseDurationSeconds }),
    ...(typeof acquireTime === 'string' && { acquireTime }),
    ...(typeof renewTime === 'string' && { renewTime }),
    ...(typeof leaseTransitions === 'number' && { leaseTransitions }),
  };
}

/** Nobody has written in between: a renewal changes at least `renewTime`. */
export function isSameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    a.holderIdentity === b.holderIdentity &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.leaseTransitions === b.leaseTransitions
  );
}

/** `before` with us as its holder, acquired or renewed at `now` (epoch ms). */
export function heldBy(identity: string, before: LeaseRecord, durationMs: number, now: number): LeaseRecord {
  const renewTime = microTime(now);
  const isOurs = before.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: (isOurs ? before.acquireTime : undefined) ?? renewTime,
    renewTime,
    leaseTransitions: (before.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
  };
}

/** `before` without a holder: the next one need not wait. */
export function released(before: LeaseRecord, now: number): LeaseRecord {
  return { ...before, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) };
}
