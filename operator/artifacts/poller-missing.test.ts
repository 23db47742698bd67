import { beforeEach, describe, expect, it } from 'vitest';
import { failedWith, MINUTE, pollerRig, resolved, SECOND, wanted } from '../../test/support/poller-rig.ts';
import type { PollerRig } from '../../test/support/poller-rig.ts';

let rig: PollerRig;

beforeEach(() => {
  rig = pollerRig();
});

describe('a missing key', () => {
  it('keeps the last version and comes back by itself', async () => {
    const etag = rig.bucket.put('a');
    rig.bucket.put('b');
    rig.poller.want('ml/retail', [wanted('a'), wanted('b')]);
    await rig.clock.advance(SECOND);
    rig.bucket.delete('a');
    await rig.clock.advance(35 * SECOND);
    const missing = failedWith(rig.poller.resolution(wanted('a')));
    const next = rig.bucket.put('a');

    await rig.clock.advance(35 * SECOND);

    expect(missing).toMatchObject({ reason: 'NoSuchKey', last: { etag } });
    expect(resolved(rig.poller.resolution(wanted('a'))).artifact.etag).toBe(next);
  });

  it('takes a delete marker for a missing key, and the old version back when the marker goes', async () => {
    rig = pollerRig({ versioned: true });
    rig.bucket.put('a');
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);
    rig.bucket.delete('a');
    await rig.clock.advance(35 * SECOND);
    const missing = rig.poller.resolution(wanted('a'));
    rig.bucket.deleteLatestVersion('a');

    await rig.clock.advance(35 * SECOND);

    expect(missing).toMatchObject({ kind: 'failed', reason: 'NoSuchKey', last: { versionId: 'v1' } });
    expect(resolved(rig.poller.resolution(wanted('a'))).artifact.versionId).toBe('v1');
  });

  it('is not believed missing by a List alone', async () => {
    for (const key of ['a/1', 'a/2']) rig.bucket.put(key);
    rig.poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await rig.clock.advance(SECOND);
    rig.changes.length = 0;
    const list = rig.bucket.list.bind(rig.bucket);
    rig.bucket.list = async (request, signal) => {
      const page = await list(request, signal);
      return { ...page, objects: new Map([...page.objects].filter(([key]) => key !== 'a/1')) };
    };

    await rig.clock.advance(5 * MINUTE);

    expect(rig.poller.resolution(wanted('a/1')).kind).toBe('resolved');
    expect(rig.changes).toEqual([]);
  });

  it('tells a missing bucket from a missing key', async () => {
    rig.bucket.fault = (operation) =>
      operation === 'list' ? { status: 404, name: 'NoSuchBucket' } : { status: 404, name: 'NotFound' };
    rig.poller.want('ml/retail', [wanted('a')]);

    await rig.clock.advance(SECOND);

    expect(failedWith(rig.poller.resolution(wanted('a'))).reason).toBe('NoSuchBucket');
  });

  it('calls the resource once, however long it stays missing', async () => {
    rig.poller.want('ml/retail', [wanted('a'), wanted('b')]);

    await rig.clock.advance(20 * MINUTE);

    expect(rig.changes).toEqual(['ml/retail']);
  });
});
