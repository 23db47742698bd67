import { beforeEach, describe, expect, it } from 'vitest';
import { failedWith, MINUTE, pollerRig, resolved, SECOND, SOURCE, wanted } from '../../test/support/poller-rig.ts';
import type { PollerRig } from '../../test/support/poller-rig.ts';
import { identityOf } from '../domain/artifact.ts';

let rig: PollerRig;

beforeEach(() => {
  rig = pollerRig({ canList: false });
});

describe('a store without a List', () => {
  it('is asked for each key by itself, once a round', async () => {
    const keys = ['a/1', 'a/2', 'a/b/3', 'c'];
    for (const key of keys) rig.bucket.put(key);
    rig.poller.want(
      'ml/retail',
      keys.map((key) => wanted(key)),
    );
    await rig.clock.advance(SECOND);
    rig.changes.length = 0;

    const made = await rig.callsWithin(35 * SECOND);

    expect(made.toSorted()).toEqual(['head a/1', 'head a/2', 'head a/b/3', 'head c']);
    expect(rig.changes).toEqual([]);
    expect(new Set(rig.counted)).toEqual(new Set(['head ok']));
  });

  it('is asked at most four questions at a time', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `folder/${index}`);
    for (const key of keys) rig.bucket.put(key);
    const head = rig.bucket.head.bind(rig.bucket);
    let [open, most] = [0, 0];
    rig.bucket.head = async (request, signal) => {
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      const facts = await head(request, signal);
      open -= 1;
      return facts;
    };
    rig.poller.want(
      'ml/retail',
      keys.map((key) => wanted(key)),
    );

    await rig.clock.advance(SECOND);

    expect(most).toBe(4);
    expect(keys.map((key) => rig.poller.resolution(wanted(key)).kind)).toEqual(keys.map(() => 'resolved'));
  });

  it('is asked by one poller for all resources of a namespace', async () => {
    for (const key of ['a', 'b']) rig.bucket.put(key);
    rig.poller.want('ml/one', [wanted('a')]);
    rig.poller.want('ml/two', [wanted('a'), wanted('b')]);

    expect((await rig.callsWithin(SECOND)).toSorted()).toEqual(['head a', 'head b']);
  });

  it('reports a new version to whom it concerns', async () => {
    for (const key of ['a', 'b']) rig.bucket.put(key);
    rig.poller.want('ml/one', [wanted('a')]);
    rig.poller.want('ml/two', [wanted('b')]);
    await rig.clock.advance(SECOND);
    rig.changes.length = 0;
    const etag = rig.bucket.put('b');

    await rig.clock.advance(35 * SECOND);

    expect(rig.changes).toEqual(['ml/two']);
    expect(resolved(rig.poller.resolution(wanted('b'))).artifact.etag).toBe(etag);
  });

  it('waits for a key that is missing, and looks for no reason elsewhere', async () => {
    rig.poller.want('ml/retail', [wanted('a')]);
    const made = await rig.callsWithin(SECOND);
    const missing = failedWith(rig.poller.resolution(wanted('a')));
    rig.bucket.put('a');

    await rig.clock.advance(35 * SECOND);

    expect(made).toEqual(['head a']);
    expect(missing.reason).toBe('NoSuchKey');
    expect(rig.poller.resolution(wanted('a')).kind).toBe('resolved');
  });

  it('is left alone while it is down, by all who ask it', async () => {
    rig.bucket.fault = () => ({ code: 'ECONNREFUSED' });
    for (let tenant = 0; tenant < 5; tenant += 1) {
      const source = { ...SOURCE, namespace: `tenant-${tenant}` };
      rig.poller.want(`tenant-${tenant}/retail`, [wanted('a', { source, intervalMs: SECOND })]);
    }
    await rig.clock.advance(10 * MINUTE);

    const made = await rig.callsWithin(10 * MINUTE);

    expect(made.length).toBeLessThanOrEqual(20);
    expect(
      failedWith(rig.poller.resolution(wanted('a', { source: { ...SOURCE, namespace: 'tenant-0' } }))).reason,
    ).toBe('StoreUnreachable');
  });

  it('that names no version at all tells a change by date and size', async () => {
    const bare = { etag: undefined, size: 7 };
    rig.bucket.put('a', bare);
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);
    const before = resolved(rig.poller.resolution(wanted('a'))).artifact;
    rig.bucket.put('a', bare);

    await rig.clock.advance(35 * SECOND);

    const after = resolved(rig.poller.resolution(wanted('a'))).artifact;
    expect(identityOf(after)).not.toBe(identityOf(before));
  });
});
