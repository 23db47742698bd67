// The small parts of the edge: paths, errors, objects, times, versions.
import { describe, expect, it } from 'vitest';
import { fromAnswer, fromStatusObject, KubeError, NameConflictError, toKubeError } from './errors.ts';
import { heldBy, parseLeaseRecord, released } from './lease-record.ts';
import { microTime } from './micro-time.ts';
import { compareVersions, controllerOf, keyOf, parseStored, splitKey } from './objects.ts';
import { pathOf, RESOURCES } from './resources.ts';

describe('paths', () => {
  it('of the core group and of others', () => {
    expect(pathOf(RESOURCES.Pod)).toBe('/api/v1/pods');
    expect(pathOf(RESOURCES.Pod, { namespace: 'ml' })).toBe('/api/v1/namespaces/ml/pods');
    expect(pathOf(RESOURCES.Deployment, { namespace: 'ml', name: 'a' })).toBe(
      '/apis/apps/v1/namespaces/ml/deployments/a',
    );
    expect(pathOf(RESOURCES.Deployment, { namespace: 'ml', name: 'a', subresource: 'status' })).toBe(
      '/apis/apps/v1/namespaces/ml/deployments/a/status',
    );
  });

  it('let no name break out', () => {
    expect(pathOf(RESOURCES.Pod, { namespace: 'ml', name: '../secrets?x' })).toBe(
      '/api/v1/namespaces/ml/pods/..%2Fsecrets%3Fx',
    );
  });

  it('need a namespace exactly where the kind has one', () => {
    expect(() => pathOf(RESOURCES.Pod, { name: 'a' })).toThrow(RangeError);
    const Node = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };
    expect(pathOf(Node, { name: 'n' })).toBe('/api/v1/nodes/n');
    expect(() => pathOf(Node, { namespace: 'ml', name: 'n' })).toThrow(RangeError);
  });
});

describe('errors', () => {
  const status = (code: number, reason: string, message = 'm') =>
    fromAnswer(code, JSON.stringify({ kind: 'Status', code, reason, message }), undefined);

  it.each([
    [status(409, 'Conflict'), { isConflict: true, isTransient: true }],
    [status(409, 'AlreadyExists'), { isConflict: true }],
    [status(404, 'NotFound'), { isNotFound: true, isTransient: false }],
    [status(410, 'Expired'), { isExpired: true }],
    [
      status(403, 'Forbidden', 'exceeded quota: pods'),
      { isForbidden: true, isQuotaExceeded: true, isTransient: false },
    ],
    [status(422, 'Invalid'), { isInvalid: true, isTransient: false }],
    [status(500, 'InternalError', '.spec.x: field not declared in schema'), { isInvalid: true, isTransient: false }],
    [
      status(500, 'InternalError', 'etcdserver: mvcc: database space exceeded'),
      { isInvalid: false, isTransient: true },
    ],
    [status(429, 'TooManyRequests'), { isThrottled: true, isTransient: true }],
  ])('%s is told by what it means', (error, intent) => {
    expect(error).toMatchObject(intent);
  });

  it('come of answers that are no Status, too', () => {
    expect(fromAnswer(502, '<html>bad gateway', 3000)).toMatchObject({
      status: 502,
      reason: 'HTTP502',
      retryAfterMs: 3000,
      isTransient: true,
    });
    expect(fromStatusObject({ code: 410, reason: 'Expired', message: 'too old' })).toMatchObject({
      status: 410,
      isExpired: true,
    });
    expect(fromStatusObject(undefined)).toMatchObject({ status: 500 });
  });

  it('keep their cause', () => {
    const cause = new Error('ECONNRESET');
    expect(toKubeError(cause)).toMatchObject({ status: 0, reason: 'Unreachable', cause, isTransient: true });
    expect(toKubeError(new DOMException('x', 'TimeoutError'))).toMatchObject({ reason: 'Timeout' });
    expect(toKubeError('text').message).toBe('text');
    const same = new KubeError({ status: 404, reason: 'NotFound', message: 'm' });
    expect(toKubeError(same)).toBe(same);
    expect(new NameConflictError('Service', { namespace: 'ml', name: 'a' }).message).toBe(
      'Service a exists and belongs to somebody else',
    );
  });
});

describe('objects', () => {
  it('lose managedFields and get the kind that lists leave out', () => {
    const parsed = parseStored(
      { metadata: { name: 'a', uid: 'u', resourceVersion: '1', managedFields: [{}] }, spec: {} },
      RESOURCES.Deployment,
    );
    expect(parsed).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a', uid: 'u', resourceVersion: '1' },
      spec: {},
    });
  });

  it.each([
    undefined,
    null,
    [],
    'x',
    {},
    { metadata: null },
    { metadata: { name: 'a', uid: 'u' } },
    { metadata: { name: 1, uid: 'u', resourceVersion: '1' } },
  ])('%j is none', (value) => {
    expect(parseStored(value, RESOURCES.Pod)).toBeUndefined();
  });

  it('have keys, and a controller or none', () => {
    expect(splitKey(keyOf({ namespace: 'ml', name: 'a' }))).toEqual({ namespace: 'ml', name: 'a' });
    expect(splitKey(keyOf({ name: 'a' }))).toEqual({ namespace: undefined, name: 'a' });
    const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u1' };
    const withOwners = (ownerReferences: object[]) =>
      ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', ownerReferences } }) as never;
    expect(controllerOf(withOwners([owner, { ...owner, uid: 'u2', controller: true }]))).toBe('u2');
    expect(controllerOf(withOwners([owner]))).toBeUndefined();
  });

  it('compare by version as numbers of any length', () => {
    expect(Math.sign(compareVersions('9', '10') ?? NaN)).toBe(-1);
    expect(Math.sign(compareVersions('18446744073709551616', '18446744073709551615') ?? NaN)).toBe(1);
    expect(compareVersions('x', 'x')).toBe(0);
    expect(compareVersions('x1', 'x2')).toBeUndefined();
  });
});

describe('leases', () => {
  const now = Date.parse('2026-01-02T03:04:05.678Z');

  it('have six fractional digits', () => {
    expect(microTime(now)).toBe('2026-01-02T03:04:05.678000Z');
  });

  it('count changes of hands, not renewals', () => {
    const first = heldBy('a', {}, 15_000, now);
    expect(first).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1, acquireTime: microTime(now) });
    const renewed = heldBy('a', first, 15_000, now + 5000);
    expect(renewed).toMatchObject({
      leaseTransitions: 1,
      acquireTime: microTime(now),
      renewTime: microTime(now + 5000),
    });
    const free = released(renewed, now + 6000);
    expect(parseLeaseRecord({ spec: free }).holderIdentity).toBeUndefined();
    expect(heldBy('b', free, 15_000, now + 7000)).toMatchObject({
      holderIdentity: 'b',
      leaseTransitions: 2,
      acquireTime: microTime(now + 7000),
    });
  });

  it('read anything as free that is no record', () => {
    expect([undefined, {}, { spec: null }, { spec: { holderIdentity: 3 } }].map(parseLeaseRecord)).toEqual([
      {},
      {},
      {},
      {},
    ]);
  });
});
