import { beforeEach, describe, expect, it } from 'vitest';
import { failedWith, MINUTE, pollerRig, resolved, SECOND, wanted } from '../../test/support/poller-rig.ts';
import type { PollerRig } from '../../test/support/poller-rig.ts';

let rig: PollerRig;

beforeEach(() => {
  rig = pollerRig();
});

describe('following a key', () => {
  it('is pending until the store has answered, then resolved', async () => {
    const etag = rig.bucket.put('a/model.tar.gz');
    rig.poller.want('ml/retail', [wanted('a/model.tar.gz')]);
    const first = rig.poller.resolution(wanted('a/model.tar.gz'));

    await rig.clock.advance(SECOND);

    expect(first).toEqual({ kind: 'pending' });
    const { artifact } = resolved(rig.poller.resolution(wanted('a/model.tar.gz')));
    expect(artifact).toMatchObject({ store: 'minio', bucket: 'models', key: 'a/model.tar.gz', etag });
    expect(rig.changes).toEqual(['ml/retail']);
  });

  it('reports a new version once, with the time of the List that first saw it', async () => {
    for (const key of ['a/1', 'a/2']) rig.bucket.put(key);
    rig.poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await rig.clock.advance(SECOND);
    rig.changes.length = 0;
    const before = rig.clock.now();
    const etag = rig.bucket.put('a/1');

    await rig.clock.advance(31 * SECOND);

    const { artifact, listedAt } = resolved(rig.poller.resolution(wanted('a/1')));
    expect(artifact.etag).toBe(etag);
    expect(listedAt).toBeGreaterThan(before);
    expect(rig.changes).toEqual(['ml/retail']);
  });

  it('dates a version by the List that first showed it, not by the HEAD that succeeded later', async () => {
    for (const key of ['a/1', 'a/2']) rig.bucket.put(key);
    rig.poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await rig.clock.advance(SECOND);
    rig.bucket.put('a/1');
    rig.bucket.fault = (operation) => (operation === 'head' ? { status: 403 } : undefined);
    await rig.clock.advance(30 * SECOND);
    const { since } = failedWith(rig.poller.resolution(wanted('a/1')));
    rig.bucket.fault = () => undefined;

    await rig.clock.advance(6 * MINUTE);

    expect(resolved(rig.poller.resolution(wanted('a/1'))).listedAt).toBe(since);
  });

  it('takes the same bytes, uploaded again, for the same version', async () => {
    const etag = rig.bucket.put('a');
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);
    const before = resolved(rig.poller.resolution(wanted('a')));
    rig.changes.length = 0;
    rig.bucket.put('a', { etag });

    await rig.clock.advance(35 * SECOND);

    const after = resolved(rig.poller.resolution(wanted('a')));
    expect(after.artifact.lastModified).not.toBe(before.artifact.lastModified);
    expect(after.listedAt).toBe(before.listedAt);
    expect(rig.changes).toEqual([]);
  });

  it('asks nothing and calls nobody for a key that did not change', async () => {
    for (const key of ['a/1', 'a/2']) rig.bucket.put(key);
    rig.poller.want('ml/retail', [wanted('a/1'), wanted('a/2')]);
    await rig.clock.advance(SECOND);
    rig.changes.length = 0;

    const made = await rig.callsWithin(10 * MINUTE);

    expect(new Set(made)).toEqual(new Set(['list a/']));
    expect(made.length).toBeLessThanOrEqual(21);
    expect(rig.changes).toEqual([]);
  });

  it('shares one List between resources and calls each of them', async () => {
    for (const key of ['a/1', 'a/2']) rig.bucket.put(key);
    rig.poller.want('ml/one', [wanted('a/1')]);
    rig.poller.want('ml/two', [wanted('a/1'), wanted('a/2')]);
    await rig.clock.advance(SECOND);
    rig.changes.length = 0;
    rig.bucket.put('a/1');

    const made = await rig.callsWithin(35 * SECOND);

    expect(made).toEqual(['list a/', 'head a/1']);
    expect(rig.changes.toSorted()).toEqual(['ml/one', 'ml/two']);
  });

  it('covers 2,500 keys of a folder by 3 Lists', async () => {
    const keys = Array.from({ length: 2500 }, (_, index) => `models/${String(index).padStart(5, '0')}/model.tar.gz`);
    for (const key of keys) rig.bucket.put(key);
    for (const key of keys) rig.poller.want(`ml/${key.slice(7, 12)}`, [wanted(key)]);
    await rig.clock.advance(SECOND);

    const made = await rig.callsWithin(34 * SECOND);

    expect(made).toEqual(['list models/', 'list models/', 'list models/']);
  });

  it('polls at the shortest interval that anybody asks for', async () => {
    rig.bucket.put('a');
    rig.poller.want('ml/slow', [wanted('a', { intervalMs: 600 * SECOND })]);
    rig.poller.want('ml/quick', [wanted('a', { intervalMs: 10 * SECOND })]);
    await rig.clock.advance(SECOND);

    const made = await rig.callsWithin(100 * SECOND);

    expect(made.length).toBeGreaterThanOrEqual(9);
    expect(made.length).toBeLessThanOrEqual(11);
  });

  it('stops when nobody wants the key any more', async () => {
    rig.bucket.put('a');
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);
    rig.poller.want('ml/retail', []);

    const made = await rig.callsWithin(10 * MINUTE);

    expect(made).toEqual([]);
    expect(rig.clock.pending).toEqual([]);
  });

  it('takes the SHA-256 from the store and leaves a version id "null" out', async () => {
    const sha256 = 'ab'.repeat(32);
    rig.bucket.put('a', { metadataSha256: sha256.toUpperCase(), versionId: 'null' });
    rig.poller.want('ml/retail', [wanted('a')]);

    await rig.clock.advance(SECOND);

    const { artifact } = resolved(rig.poller.resolution(wanted('a')));
    expect(artifact.sha256).toBe(sha256);
    expect(artifact).not.toHaveProperty('versionId');
  });
});

describe('a pinned version', () => {
  it('is asked for once and never again', async () => {
    rig = pollerRig({ versioned: true });
    rig.bucket.put('a');
    rig.bucket.put('a');
    const pin = wanted('a', { versionId: 'v1' });
    rig.poller.want('ml/retail', [pin]);
    await rig.clock.advance(SECOND);

    const made = await rig.callsWithin(60 * MINUTE);

    expect(resolved(rig.poller.resolution(pin)).artifact.versionId).toBe('v1');
    expect(made).toEqual([]);
  });

  it('is retried while it is missing', async () => {
    rig = pollerRig({ versioned: true });
    const pin = wanted('a', { versionId: 'v1' });
    rig.poller.want('ml/retail', [pin]);
    await rig.clock.advance(SECOND);
    const before = failedWith(rig.poller.resolution(pin));
    rig.bucket.put('a');

    await rig.clock.advance(35 * SECOND);

    expect(before.reason).toBe('NoSuchKey');
    expect(before.message).toContain('version v1');
    expect(rig.poller.resolution(pin).kind).toBe('resolved');
  });
});

describe('poke', () => {
  it('skips the wait, also after a refusal', async () => {
    rig.bucket.fault = () => ({ status: 403 });
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);
    rig.bucket.fault = () => undefined;
    rig.bucket.put('a');

    rig.poller.poke('ml/retail');
    await rig.clock.advance(10);

    expect(rig.poller.resolution(wanted('a')).kind).toBe('resolved');
  });

  it('is not lost while a round is under way', async () => {
    rig.bucket.put('a');
    let release = () => {};
    const head = rig.bucket.head.bind(rig.bucket);
    rig.bucket.head = async (request, signal) => {
      const facts = await head(request, signal);
      await new Promise<void>((resolve) => (release = resolve));
      return facts;
    };
    rig.poller.want('ml/retail', [wanted('a')]);
    await rig.clock.advance(SECOND);
    const etag = rig.bucket.put('a');
    rig.poller.poke('ml/retail');
    rig.bucket.head = head;
    release();

    await rig.clock.advance(10);

    expect(resolved(rig.poller.resolution(wanted('a'))).artifact.etag).toBe(etag);
  });
});

it('survives a bug in a reader and goes on', async () => {
  rig.bucket.put('a');
  const head = rig.bucket.head.bind(rig.bucket);
  rig.bucket.head = () => Promise.reject(new TypeError('a bug'));
  rig.poller.want('ml/retail', [wanted('a')]);
  await rig.clock.advance(SECOND);
  rig.bucket.head = head;

  await rig.clock.advance(35 * SECOND);

  expect(rig.errors).toEqual([new TypeError('a bug')]);
  expect(rig.poller.resolution(wanted('a')).kind).toBe('resolved');
});

it('ends its timers and calls when it stops', async () => {
  rig.bucket.put('a');
  rig.poller.want('ml/retail', [wanted('a')]);
  await rig.clock.advance(SECOND);

  await rig.poller.stop();

  expect(rig.clock.pending).toEqual([]);
});
