import { beforeEach, describe, expect, it } from 'vitest';
import { FakeBucket } from '../../test/support/fake-bucket.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import {
  callsWithin,
  failedWith,
  MINUTE,
  pollerRig,
  resolved,
  SECOND,
  wanted,
  SOURCE,
  type PollerRig,
} from '../../test/support/poller-rig.ts';
import { sourceFailure, StoreError } from './failure.ts';
import type { ArtifactPoller } from './poller.ts';

let clock: FakeClock;
let rig: PollerRig;
let bucket: FakeBucket;
let changes: string[];
let poller: ArtifactPoller;

beforeEach(() => {
  clock = new FakeClock();
  startWith(new FakeBucket(clock));
});

function startWith(with_: FakeBucket): void {
  rig = pollerRig(clock, with_);
  ({ bucket, changes, poller } = rig);
}

describe('refusals', () => {
  it('falls back to HEAD where a List is forbidden', async () => {
    const keys = ['a/1', 'a/2', 'b/1'];
    for (const key of keys) bucket.put(key);
    bucket.fault = (operation) => (operation === 'list' ? { status: 403, name: 'AccessDenied' } : undefined);
    poller.want(
      'ml/retail',
      keys.map((key) => wanted(key)),
    );
    await clock.advance(SECOND);

    const made = await callsWithin(clock, bucket, 35 * SECOND);

    expect(keys.map((key) => poller.resolution(wanted(key)).kind)).toEqual(['resolved', 'resolved', 'resolved']);
    expect(made.toSorted()).toEqual(['head a/1', 'head a/2', 'head b/1']);
  });

  it('asks again only after five minutes and names both causes', async () => {
    bucket.fault = () => ({ status: 403 });
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);

    const early = await callsWithin(clock, bucket, 4 * MINUTE);
    const later = await callsWithin(clock, bucket, 2 * MINUTE);

    const { reason, message } = failedWith(poller.resolution(wanted('a')));
    expect(reason).toBe('AccessDenied');
    expect(message).toMatch(/GetObject.*or the key does not exist.*ListBucket.*HTTP 403/);
    expect(early).toEqual([]);
    expect(later).toEqual(['head a']);
  });

  it('asks at once when the Secret holds other credentials by now', async () => {
    const good = new FakeBucket(clock);
    good.put('a');
    bucket.fault = () => ({ status: 403 });
    let identity = 'old';
    rig.open = (refresh) => {
      if (refresh) identity = 'new';
      return { reader: identity === 'new' ? good : bucket, identity };
    };
    poller.want('ml/retail', [wanted('a')]);

    await clock.advance(SECOND);

    expect(poller.resolution(wanted('a')).kind).toBe('resolved');
    expect(good.calls).toEqual(['head a']);
  });

  it('reads the Secret again, but asks no second time, when the credentials are the same', async () => {
    bucket.fault = () => ({ status: 403 });
    const opened: boolean[] = [];
    rig.open = (refresh) => {
      opened.push(refresh);
      return { reader: bucket, identity: 'same' };
    };
    poller.want('ml/retail', [wanted('a')]);

    await clock.advance(SECOND);

    expect(opened).toEqual([false, true]);
    expect(bucket.calls).toEqual(['head a']);
  });

  it('tries to open a source once in a round: a Secret that is missing is not read three times', async () => {
    let opened = 0;
    rig.open = () => {
      opened += 1;
      throw new StoreError(sourceFailure('InvalidCredentials', 'Secret s3-read does not exist'));
    };
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);

    expect(opened).toBe(1);
  });

  it('reports a source that cannot be opened, without a call', async () => {
    rig.open = () => {
      throw new StoreError(sourceFailure('UnknownStore', 'no store of this name'));
    };
    poller.want('ml/retail', [wanted('a')]);

    await clock.advance(SECOND);

    expect(failedWith(poller.resolution(wanted('a')))).toMatchObject({
      reason: 'UnknownStore',
      message: 'no store of this name',
    });
    expect(bucket.calls).toEqual([]);
  });
});

it('says a refusal once, although each answer has a request id of its own', async () => {
  bucket.fault = () => ({ status: 403 });
  poller.want('ml/retail', [wanted('a')]);
  await clock.advance(SECOND);
  const first = failedWith(poller.resolution(wanted('a')));

  await clock.advance(60 * MINUTE);

  expect(failedWith(poller.resolution(wanted('a')))).toEqual(first);
  expect(changes).toEqual(['ml/retail']);
});

describe('an outage', () => {
  it('keeps the last version, says so once, and ends by itself', async () => {
    const etag = bucket.put('a');
    poller.want('ml/retail', [wanted('a', { intervalMs: SECOND })]);
    await clock.advance(SECOND);
    changes.length = 0;
    bucket.fault = () => ({ code: 'ECONNREFUSED' });
    await clock.advance(10 * MINUTE);
    const down = failedWith(poller.resolution(wanted('a', { intervalMs: SECOND })));
    const calledWhileDown = changes.length;
    bucket.fault = () => undefined;

    await clock.advance(MINUTE);

    expect(down).toMatchObject({ reason: 'StoreUnreachable', last: { etag } });
    expect(down.message).toContain('ECONNREFUSED');
    expect(down.message).not.toContain('upstream');
    expect(calledWhileDown).toBe(1);
    expect(poller.resolution(wanted('a')).kind).toBe('resolved');
  });

  it('asks less and less often, at most once a minute, and one call a round', async () => {
    for (const key of ['a/1', 'a/2', 'b/1']) bucket.put(key);
    bucket.fault = () => ({ code: 'ETIMEDOUT' });
    poller.want(
      'ml/retail',
      ['a/1', 'a/2', 'b/1'].map((key) => wanted(key, { intervalMs: SECOND })),
    );

    const early = await callsWithin(clock, bucket, 10 * SECOND);
    await clock.advance(5 * MINUTE);
    const late = await callsWithin(clock, bucket, 10 * MINUTE);

    expect(early.length).toBeLessThanOrEqual(4);
    expect(late.length).toBeGreaterThanOrEqual(10);
    expect(late.length).toBeLessThanOrEqual(20);
  });

  it('ends a round of HEADs at the first failure', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `folder-${index}/model`);
    for (const key of keys) bucket.put(key);
    bucket.fault = (operation, key) => {
      if (operation === 'list') return { status: 403, name: 'AccessDenied' };
      return key === 'folder-0/model' ? { code: 'ETIMEDOUT' } : undefined;
    };
    poller.want(
      'ml/retail',
      keys.map((key) => wanted(key)),
    );

    const made = await callsWithin(clock, bucket, SECOND);

    expect(made.filter((call) => call.startsWith('head')).length).toBeLessThanOrEqual(8);
    expect(failedWith(poller.resolution(wanted('folder-39/model'))).reason).toBe('StoreUnreachable');
  });

  it('lets one source at a time try whether the bucket is back', async () => {
    bucket.fault = () => ({ status: 503, name: 'SlowDown' });
    for (let tenant = 0; tenant < 10; tenant += 1) {
      const source = { ...SOURCE, namespace: `tenant-${tenant}` };
      poller.want(`tenant-${tenant}/retail`, [wanted('a', { source, intervalMs: SECOND })]);
    }
    await clock.advance(30 * MINUTE);

    const made = await callsWithin(clock, bucket, 20 * MINUTE);

    expect(made.length).toBeGreaterThanOrEqual(4);
    expect(made.length).toBeLessThanOrEqual(8);
    expect(rig.counted).toContain('head Throttled');
  });

  it('is over for every source once one has found the bucket back', async () => {
    bucket.put('a');
    bucket.fault = () => ({ code: 'ECONNREFUSED' });
    const wants = ['x', 'y', 'z'].map((namespace) =>
      wanted('a', { source: { ...SOURCE, namespace }, intervalMs: SECOND }),
    );
    for (const want of wants) poller.want(`${want.source.namespace}/retail`, [want]);
    await clock.advance(30 * MINUTE);
    bucket.fault = () => undefined;

    await clock.advance(2 * MINUTE);

    expect(wants.map((want) => poller.resolution(want).kind)).toEqual(['resolved', 'resolved', 'resolved']);
  });
});

describe('a store whose replicas lag', () => {
  it('does not go back to the older object that it answers now and then', async () => {
    bucket.put('a');
    const quick = wanted('a', { intervalMs: SECOND });
    poller.want('ml/retail', [quick]);
    await clock.advance(SECOND);
    const old = await bucket.head({ key: 'a' }, AbortSignal.timeout(1000));
    await clock.advance(10 * SECOND);
    changes.length = 0;
    const next = bucket.put('a');
    const head = bucket.head.bind(bucket);
    let turn = 0;
    bucket.head = (request, signal) => {
      turn += 1;
      return turn % 3 === 0 ? head(request, signal) : Promise.resolve(old);
    };

    await clock.advance(5 * MINUTE);

    expect(changes).toEqual(['ml/retail']);
    expect(resolved(poller.resolution(quick)).artifact.etag).toBe(next);
  });

  it('goes back when the store insists for a minute', async () => {
    const quick = wanted('a', { intervalMs: 5 * SECOND });
    bucket.put('a');
    poller.want('ml/retail', [quick]);
    await clock.advance(SECOND);
    const restored = bucket.put('a', { lastModified: new Date(clock.now() - 60 * MINUTE) });
    await clock.advance(30 * SECOND);
    const early = resolved(poller.resolution(quick)).artifact.etag;

    await clock.advance(60 * SECOND);

    expect(early).not.toBe(restored);
    expect(resolved(poller.resolution(quick)).artifact.etag).toBe(restored);
  });

  it('goes back at once when the newer version was deleted', async () => {
    startWith(new FakeBucket(clock, { versioned: true }));
    bucket.put('a');
    await clock.advance(10 * SECOND);
    bucket.put('a');
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);
    bucket.deleteLatestVersion('a');

    await clock.advance(35 * SECOND);

    expect(resolved(poller.resolution(wanted('a'))).artifact.versionId).toBe('v1');
  });
});
