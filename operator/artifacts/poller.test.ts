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
  type PollerRig,
} from '../../test/support/poller-rig.ts';
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

describe('following a key', () => {
  it('is pending until the store has answered, then resolved', async () => {
    const etag = bucket.put('a/model.tar.gz');
    poller.want('ml/retail', [wanted('a/model.tar.gz')]);
    const first = poller.resolution(wanted('a/model.tar.gz'));

    await clock.advance(SECOND);

    expect(first).toEqual({ kind: 'pending' });
    const { artifact } = resolved(poller.resolution(wanted('a/model.tar.gz')));
    expect(artifact).toMatchObject({ store: 'minio', bucket: 'models', key: 'a/model.tar.gz', etag });
    expect(changes).toEqual(['ml/retail']);
  });

  it('reports a new version once, with the time of the List that first saw it', async () => {
    for (const key of ['a/1', 'a/2']) bucket.put(key);
    poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await clock.advance(SECOND);
    changes.length = 0;
    const before = clock.now();
    const etag = bucket.put('a/1');

    await clock.advance(31 * SECOND);

    const { artifact, listedAt } = resolved(poller.resolution(wanted('a/1')));
    expect(artifact.etag).toBe(etag);
    expect(listedAt).toBeGreaterThan(before);
    expect(changes).toEqual(['ml/retail']);
  });

  it('dates a version by the List that first showed it, not by the HEAD that succeeded later', async () => {
    for (const key of ['a/1', 'a/2']) bucket.put(key);
    poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await clock.advance(SECOND);
    bucket.put('a/1');
    bucket.fault = (operation) => (operation === 'head' ? { status: 403 } : undefined);
    await clock.advance(30 * SECOND);
    const { since } = failedWith(poller.resolution(wanted('a/1')));
    bucket.fault = () => undefined;

    await clock.advance(6 * MINUTE);

    expect(resolved(poller.resolution(wanted('a/1'))).listedAt).toBe(since);
  });

  it('takes the same bytes, uploaded again, for the same version', async () => {
    const etag = bucket.put('a');
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);
    const before = resolved(poller.resolution(wanted('a')));
    changes.length = 0;
    bucket.put('a', { etag });

    await clock.advance(35 * SECOND);

    const after = resolved(poller.resolution(wanted('a')));
    expect(after.artifact.lastModified).not.toBe(before.artifact.lastModified);
    expect(after.listedAt).toBe(before.listedAt);
    expect(changes).toEqual([]);
  });

  it('asks nothing and calls nobody for a key that did not change', async () => {
    for (const key of ['a/1', 'a/2']) bucket.put(key);
    poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await clock.advance(SECOND);
    changes.length = 0;

    const made = await callsWithin(clock, bucket, 10 * MINUTE);

    expect(new Set(made)).toEqual(new Set(['list a/']));
    expect(made.length).toBeLessThanOrEqual(21);
    expect(changes).toEqual([]);
  });

  it('shares one List between resources and calls each of them', async () => {
    for (const key of ['a/1', 'a/2']) bucket.put(key);
    poller.want('ml/one', [wanted('a/1')]);
    poller.want('ml/two', [wanted('a/1'), wanted('a/2')]);
    await clock.advance(SECOND);
    changes.length = 0;
    bucket.put('a/1');

    const made = await callsWithin(clock, bucket, 35 * SECOND);

    expect(made).toEqual(['list a/', 'head a/1']);
    expect(changes.toSorted()).toEqual(['ml/one', 'ml/two']);
  });

  it('covers 2,500 keys of a folder by 3 Lists', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => `models/${String(index).padStart(5, '0')}/model.tar.gz`);
    for (const key of keys) bucket.put(key);
    for (const key of keys) poller.want(`ml/${key.slice(7, 12)}`, [wanted(key)]);
    await clock.advance(SECOND);

    const made = await callsWithin(clock, bucket, 34 * SECOND);

    expect(made).toEqual(['list models/', 'list models/', 'list models/']);
  });

  it('polls at the shortest interval that anybody asks for', async () => {
    bucket.put('a');
    poller.want('ml/slow', [wanted('a', { intervalMs: 600 * SECOND })]);
    poller.want('ml/quick', [wanted('a', { intervalMs: 10 * SECOND })]);
    await clock.advance(SECOND);

    const made = await callsWithin(clock, bucket, 100 * SECOND);

    expect(made.length).toBeGreaterThanOrEqual(9);
    expect(made.length).toBeLessThanOrEqual(11);
  });

  it('stops when nobody wants the key any more', async () => {
    bucket.put('a');
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);
    poller.want('ml/retail', []);

    const made = await callsWithin(clock, bucket, 10 * MINUTE);

    expect(made).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  it('takes the SHA-256 from the store and leaves a version id "null" out', async () => {
    const sha256 = 'ab'.repeat(32);
    bucket.put('a', { metadataSha256: sha256.toUpperCase(), versionId: 'null' });
    poller.want('ml/retail', [wanted('a')]);

    await clock.advance(SECOND);

    const { artifact } = resolved(poller.resolution(wanted('a')));
    expect(artifact.sha256).toBe(sha256);
    expect(artifact).not.toHaveProperty('versionId');
  });
});

describe('a pinned version', () => {
  it('is asked for once and never again', async () => {
    startWith(new FakeBucket(clock, { versioned: true }));
    bucket.put('a');
    bucket.put('a');
    const pin = wanted('a', { versionId: 'v1' });
    poller.want('ml/retail', [pin]);
    await clock.advance(SECOND);

    const made = await callsWithin(clock, bucket, 60 * MINUTE);

    expect(resolved(poller.resolution(pin)).artifact.versionId).toBe('v1');
    expect(made).toEqual([]);
  });

  it('is retried while it is missing', async () => {
    startWith(new FakeBucket(clock, { versioned: true }));
    const pin = wanted('a', { versionId: 'v1' });
    poller.want('ml/retail', [pin]);
    await clock.advance(SECOND);
    const before = failedWith(poller.resolution(pin));
    bucket.put('a');

    await clock.advance(35 * SECOND);

    expect(before.reason).toBe('NoSuchKey');
    expect(before.message).toContain('version v1');
    expect(poller.resolution(pin).kind).toBe('resolved');
  });
});

describe('a missing key', () => {
  it('keeps the last version and comes back by itself', async () => {
    const etag = bucket.put('a');
    bucket.put('b');
    poller.want('ml/retail', [wanted('a'), wanted('b')]);
    await clock.advance(SECOND);
    bucket.delete('a');
    await clock.advance(35 * SECOND);
    const missing = failedWith(poller.resolution(wanted('a')));
    const next = bucket.put('a');

    await clock.advance(35 * SECOND);

    expect(missing).toMatchObject({ reason: 'NoSuchKey', last: { etag } });
    expect(resolved(poller.resolution(wanted('a'))).artifact.etag).toBe(next);
  });

  it('takes a delete marker for a missing key, and the old version back when the marker goes', async () => {
    startWith(new FakeBucket(clock, { versioned: true }));
    bucket.put('a');
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);
    bucket.delete('a');
    await clock.advance(35 * SECOND);
    const missing = poller.resolution(wanted('a'));
    bucket.deleteLatestVersion('a');

    await clock.advance(35 * SECOND);

    expect(missing).toMatchObject({ kind: 'failed', reason: 'NoSuchKey', last: { versionId: 'v1' } });
    expect(resolved(poller.resolution(wanted('a'))).artifact.versionId).toBe('v1');
  });

  it('is not believed missing by a List alone', async () => {
    for (const key of ['a/1', 'a/2']) bucket.put(key);
    poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await clock.advance(SECOND);
    changes.length = 0;
    const list = bucket.list.bind(bucket);
    bucket.list = async (request, signal) => {
      const page = await list(request, signal);
      return { ...page, objects: new Map([...page.objects].filter(([key]) => key !== 'a/1')) };
    };

    await clock.advance(5 * MINUTE);

    expect(poller.resolution(wanted('a/1')).kind).toBe('resolved');
    expect(changes).toEqual([]);
  });

  it('tells a missing bucket from a missing key', async () => {
    bucket.fault = (operation) =>
      operation === 'list' ? { status: 404, name: 'NoSuchBucket' } : { status: 404, name: 'NotFound' };
    poller.want('ml/retail', [wanted('a')]);

    await clock.advance(SECOND);

    expect(failedWith(poller.resolution(wanted('a'))).reason).toBe('NoSuchBucket');
  });

  it('calls the resource once, however long it stays missing', async () => {
    poller.want('ml/retail', [wanted('a'), wanted('b')]);

    await clock.advance(20 * MINUTE);

    expect(changes).toEqual(['ml/retail']);
  });
});

describe('poke', () => {
  it('skips the wait, also after a refusal', async () => {
    bucket.fault = () => ({ status: 403 });
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);
    bucket.fault = () => undefined;
    bucket.put('a');

    poller.poke('ml/retail');
    await clock.advance(10);

    expect(poller.resolution(wanted('a')).kind).toBe('resolved');
  });

  it('is not lost while a round is under way', async () => {
    bucket.put('a');
    let release = () => {};
    const head = bucket.head.bind(bucket);
    bucket.head = async (request, signal) => {
      const facts = await head(request, signal);
      await new Promise<void>((resolve) => (release = resolve));
      return facts;
    };
    poller.want('ml/retail', [wanted('a')]);
    await clock.advance(SECOND);
    const etag = bucket.put('a');
    poller.poke('ml/retail');
    bucket.head = head;
    release();

    await clock.advance(10);

    expect(resolved(poller.resolution(wanted('a'))).artifact.etag).toBe(etag);
  });
});

it('survives a bug in a reader and goes on', async () => {
  bucket.put('a');
  const head = bucket.head.bind(bucket);
  bucket.head = () => Promise.reject(new TypeError('a bug'));
  poller.want('ml/retail', [wanted('a')]);
  await clock.advance(SECOND);
  bucket.head = head;

  await clock.advance(35 * SECOND);

  expect(rig.errors).toEqual([new TypeError('a bug')]);
  expect(poller.resolution(wanted('a')).kind).toBe('resolved');
});

it('ends its timers and calls when it stops', async () => {
  bucket.put('a');
  poller.want('ml/retail', [wanted('a')]);
  await clock.advance(SECOND);

  await poller.stop();

  expect(clock.pending).toEqual([]);
});
