import { beforeEach, describe, expect, it } from 'vitest';
import { FakeBucket } from '../../test/support/fake-bucket.ts';
import { failedWith, MINUTE, pollerRig, resolved, SECOND, SOURCE, wanted } from '../../test/support/poller-rig.ts';
import type { PollerRig } from '../../test/support/poller-rig.ts';
import { sourceFailure, StoreError } from './failure.ts';

let rig: PollerRig;

beforeEach(() => {
  rig = pollerRig();
});

describe('refusals', () => {
  it('falls back to HEAD where a List is forbidden', async () => {
    const keys = ['a/1', 'a/2', 'b/1'];
    for (const key of keys) rig.bucket.put(key);
    rig.bucket.fault = (operation) => (operation === 'list' ? { status: 403, name: 'AccessDenied' } : undefined);
    rig.poller.want(
      'ml/retail',
      keys.map((key) => wanted(key)),
    );
    await rig.clock.advance(SECOND);

    const made = await rig.callsWithin(35 * SECOND);

    expect(keys.map((key) => rig.poller.resolution(wanted(key)).kind)).toEqual(['resolved', 'resolved', 'resolved']);
    expect(made.toSorted()).toEqual(['head a/1', 'head a/2', 'head b/1']);
  });

  it('asks again only after five minutes and names both causes', async () => {
    rig.bucket.fault = () => ({ status: 403 });
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);

    const early = await rig.callsWithin(4 * MINUTE);
    const later = await rig.callsWithin(2 * MINUTE);

    const { reason, message } = failedWith(rig.poller.resolution(wanted('a')));
    expect(reason).toBe('AccessDenied');
    expect(message).toMatch(/GetObject.*or the key does not exist.*ListBucket.*HTTP 403/);
    expect(early).toEqual([]);
    expect(later).toEqual(['head a']);
  });

  it('asks at once when the Secret holds other credentials by now', async () => {
    const good = new FakeBucket(rig.clock);
    good.put('a');
    rig.bucket.fault = () => ({ status: 403 });
    let identity = 'old';
    rig.open = (refresh) => {
      if (refresh) identity = 'new';
      return { reader: identity === 'new' ? good : rig.bucket, identity };
    };
    rig.poller.want('ml/retail', [wanted('a')]);

    await rig.clock.advance(SECOND);

    expect(rig.poller.resolution(wanted('a')).kind).toBe('resolved');
    expect(good.calls).toEqual(['head a']);
  });

  it('reads the Secret again, but asks no second time, when the credentials are the same', async () => {
    rig.bucket.fault = () => ({ status: 403 });
    const opened: boolean[] = [];
    rig.open = (refresh) => {
      opened.push(refresh);
      return { reader: rig.bucket, identity: 'same' };
    };
    rig.poller.want('ml/retail', [wanted('a')]);

    await rig.clock.advance(SECOND);

    expect(opened).toEqual([false, true]);
    expect(rig.bucket.calls).toEqual(['head a']);
  });

  it('tries to open a source once in a round: a Secret that is missing is not read three times', async () => {
    let opened = 0;
    rig.open = () => {
      opened += 1;
      throw new StoreError(sourceFailure('InvalidCredentials', 'Secret s3-read does not exist'));
    };
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);

    expect(opened).toBe(1);
  });

  it('reports a source that cannot be opened, without a call', async () => {
    rig.open = () => {
      throw new StoreError(sourceFailure('UnknownStore', 'no store of this name'));
    };
    rig.poller.want('ml/retail', [wanted('a')]);

    await rig.clock.advance(SECOND);

    expect(failedWith(rig.poller.resolution(wanted('a')))).toMatchObject({
      reason: 'UnknownStore',
      message: 'no store of this name',
    });
    expect(rig.bucket.calls).toEqual([]);
  });
});

it('says a refusal once, although each answer has a request id of its own', async () => {
  rig.bucket.fault = () => ({ status: 403 });
  rig.poller.want('ml/retail', [wanted('a')]);
  await rig.clock.advance(SECOND);
  const first = failedWith(rig.poller.resolution(wanted('a')));

  await rig.clock.advance(60 * MINUTE);

  expect(failedWith(rig.poller.resolution(wanted('a')))).toEqual(first);
  expect(rig.changes).toEqual(['ml/retail']);
});

describe('an outage', () => {
  it('is forgotten with the last resource that asked the bucket', async () => {
    rig.bucket.fault = () => ({ code: 'ETIMEDOUT' });
    rig.poller.want('ml/retail', [wanted('a', { intervalMs: SECOND })]);
    await rig.clock.advance(10 * MINUTE);
    rig.poller.want('ml/retail', []);

    rig.poller.want('ml/other', [wanted('a', { intervalMs: SECOND })]);

    expect((await rig.callsWithin(SECOND)).length).toBeGreaterThan(0);
  });

  it('keeps the last version, says so once, and ends by itself', async () => {
    const etag = rig.bucket.put('a');
    rig.poller.want('ml/retail', [wanted('a', { intervalMs: SECOND })]);
    await rig.clock.advance(SECOND);
    rig.changes.length = 0;
    rig.bucket.fault = () => ({ code: 'ECONNREFUSED' });
    await rig.clock.advance(10 * MINUTE);
    const down = failedWith(rig.poller.resolution(wanted('a', { intervalMs: SECOND })));
    const calledWhileDown = rig.changes.length;
    rig.bucket.fault = () => undefined;

    await rig.clock.advance(MINUTE);

    expect(down).toMatchObject({ reason: 'StoreUnreachable', last: { etag } });
    expect(down.message).toContain('ECONNREFUSED');
    expect(down.message).not.toContain('upstream');
    expect(calledWhileDown).toBe(1);
    expect(rig.poller.resolution(wanted('a')).kind).toBe('resolved');
  });

  it('asks less and less often, at most once a minute, and one call a round', async () => {
    for (const key of ['a/1', 'a/2', 'b/1']) rig.bucket.put(key);
    rig.bucket.fault = () => ({ code: 'ETIMEDOUT' });
    rig.poller.want(
      'ml/retail',
      ['a/1', 'a/2', 'b/1'].map((key) => wanted(key, { intervalMs: SECOND })),
    );

    const early = await rig.callsWithin(10 * SECOND);
    await rig.clock.advance(5 * MINUTE);
    const late = await rig.callsWithin(10 * MINUTE);

    expect(early.length).toBeLessThanOrEqual(4);
    expect(late.length).toBeGreaterThanOrEqual(10);
    expect(late.length).toBeLessThanOrEqual(20);
  });

  it('ends a round of HEADs at the first failure', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `folder-${index}/model`);
    for (const key of keys) rig.bucket.put(key);
    rig.bucket.fault = (operation, key) => {
      if (operation === 'list') return { status: 403, name: 'AccessDenied' };
      return key === 'folder-0/model' ? { code: 'ETIMEDOUT' } : undefined;
    };
    rig.poller.want(
      'ml/retail',
      keys.map((key) => wanted(key)),
    );

    const made = await rig.callsWithin(SECOND);

    expect(made.filter((call) => call.startsWith('head')).length).toBeLessThanOrEqual(8);
    expect(failedWith(rig.poller.resolution(wanted('folder-39/model'))).reason).toBe('StoreUnreachable');
  });

  it('lets one source at a time try whether the bucket is back', async () => {
    rig.bucket.fault = () => ({ status: 503, name: 'SlowDown' });
    for (let tenant = 0; tenant < 10; tenant += 1) {
      const source = { ...SOURCE, namespace: `tenant-${tenant}` };
      rig.poller.want(`tenant-${tenant}/retail`, [wanted('a', { source, intervalMs: SECOND })]);
    }
    await rig.clock.advance(30 * MINUTE);

    const made = await rig.callsWithin(20 * MINUTE);

    expect(made.length).toBeGreaterThanOrEqual(4);
    expect(made.length).toBeLessThanOrEqual(8);
    expect(rig.counted).toContain('head Throttled');
  });

  it('is over for every source once one has found the bucket back', async () => {
    rig.bucket.put('a');
    rig.bucket.fault = () => ({ code: 'ECONNREFUSED' });
    const wants = ['x', 'y', 'z'].map((namespace) =>
      wanted('a', { source: { ...SOURCE, namespace }, intervalMs: SECOND }),
    );
    for (const want of wants) rig.poller.want(`${want.source.namespace}/retail`, [want]);
    await rig.clock.advance(30 * MINUTE);
    rig.bucket.fault = () => undefined;

    await rig.clock.advance(2 * MINUTE);

    expect(wants.map((want) => rig.poller.resolution(want).kind)).toEqual(['resolved', 'resolved', 'resolved']);
  });
});

describe('a store whose replicas lag', () => {
  it('does not go back to the older object that it answers now and then', async () => {
    rig.bucket.put('a');
    const quick = wanted('a', { intervalMs: SECOND });
    rig.poller.want('ml/retail', [quick]);
    await rig.clock.advance(SECOND);
    const old = await rig.bucket.head({ key: 'a' }, AbortSignal.timeout(1000));
    await rig.clock.advance(10 * SECOND);
    rig.changes.length = 0;
    const next = rig.bucket.put('a');
    const head = rig.bucket.head.bind(rig.bucket);
    let turn = 0;
    rig.bucket.head = (request, signal) => {
      turn += 1;
      return turn % 3 === 0 ? head(request, signal) : Promise.resolve(old);
    };

    await rig.clock.advance(5 * MINUTE);

    expect(rig.changes).toEqual(['ml/retail']);
    expect(resolved(rig.poller.resolution(quick)).artifact.etag).toBe(next);
  });

  it('goes back when the store insists for a minute', async () => {
    const quick = wanted('a', { intervalMs: 5 * SECOND });
    rig.bucket.put('a');
    rig.poller.want('ml/retail', [quick]);
    await rig.clock.advance(SECOND);
    const restored = rig.bucket.put('a', { lastModified: new Date(rig.clock.now() - 60 * MINUTE) });
    await rig.clock.advance(30 * SECOND);
    const early = resolved(rig.poller.resolution(quick)).artifact.etag;

    await rig.clock.advance(60 * SECOND);

    expect(early).not.toBe(restored);
    expect(resolved(rig.poller.resolution(quick)).artifact.etag).toBe(restored);
  });

  it('goes back at once when the newer version was deleted', async () => {
    rig = pollerRig({ versioned: true });
    rig.bucket.put('a');
    await rig.clock.advance(10 * SECOND);
    rig.bucket.put('a');
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);
    rig.bucket.deleteLatestVersion('a');

    await rig.clock.advance(35 * SECOND);

    expect(resolved(rig.poller.resolution(wanted('a'))).artifact.versionId).toBe('v1');
  });
});
