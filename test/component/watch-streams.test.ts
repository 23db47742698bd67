// The watch against the fake API server: every way in which a stream ends, or loses its place.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/fake-clock.ts';
import { PODS, WatchRig } from '../support/watch-rig.ts';

let rig: WatchRig;

beforeEach(async () => {
  rig = await WatchRig.open();
});

afterEach(async () => {
  await rig.close();
  expect(rig.server.unexpected).toEqual([]);
  expect(rig.clock.pending).toEqual([]);
});

describe('a stream that ends', () => {
  it('cleanly after a while is opened again at once where it was, without a list', async () => {
    rig.start();
    await rig.watching();
    rig.makePod('a');
    await until(() => rig.cache.size === 1);
    await rig.clock.advance(30_000);
    rig.server.cutStreams('end');
    await rig.streamsOpened(2);
    rig.makePod('b');
    await until(() => rig.cache.size === 2);
    expect(rig.seen).toEqual(['+a', '+b']);
    expect(rig.health).toMatchObject({ lists: 1, streams: 2 });
  });

  it('too soon waits for its back-off', async () => {
    rig.start();
    await rig.watching();
    rig.server.cutStreams('end');
    await until(() => rig.clock.pending.length === 1 && rig.server.streams === 0);
    expect(rig.health).toMatchObject({ streams: 1, deadSince: 0 });
    await rig.clock.advance(500);
    await rig.streamsOpened(2);
  });

  it('in the middle of a line resumes after what it had given', async () => {
    rig.start();
    await rig.watching();
    rig.makePod('a');
    await until(() => rig.cache.size === 1);
    rig.server.cutStreams('break');
    await until(() => rig.failures.length === 1);
    rig.server.store.delete(`${PODS}/a`, {});
    rig.makePod('b');
    await rig.passBackoff();
    await until(() => rig.seen.length === 3);
    expect(rig.seen).toEqual(['+a', '-a', '+b']);
    expect(rig.health.lists).toBe(1);
  });

  it('is refused with a 500 several times: no list either', async () => {
    rig.start();
    await rig.watching();
    rig.server.faults.push({ when: ({ watch: isWatch }) => isWatch, then: { status: 500 }, times: 3 });
    await rig.clock.advance(20_000);
    rig.server.cutStreams('end');
    await rig.passFailures(3);
    await rig.streamsOpened(2);
    expect(rig.health.lists).toBe(1);
  });

  it('by silence is opened anew from the last bookmark', async () => {
    rig.start({ idleMs: 40_000 });
    await rig.watching();
    rig.server.store.version = 5000;
    rig.server.bookmark();
    await rig.clock.advance(30_000);
    rig.server.bookmark();
    await rig.clock.advance(39_000);
    expect(rig.health.streams).toBe(1);

    rig.server.silent = true;
    rig.makePod('unheard');
    await rig.clock.advance(1000);
    rig.server.silent = false;
    await rig.streamsOpened(2);
    await until(() => rig.cache.size === 1);

    expect(
      rig.server.requests.filter((request) => request.watch).map(({ query }) => query.get('resourceVersion')),
    ).toEqual(['1000', '5000']);
    expect(rig.health.lists).toBe(1);
    expect(rig.failures).toEqual([]);
  });

  it('asks for bookmarks and for an end of its own between 5 and 10 minutes', async () => {
    rig.start();
    await rig.watching();
    const query = rig.server.requests.find((request) => request.watch)?.query;
    expect(query?.get('allowWatchBookmarks')).toBe('true');
    expect(query?.get('timeoutSeconds')).toBe('450');
  });
});

describe('a place that is lost', () => {
  /** Changes that the stream does not tell of. */
  function changeUnseen(): void {
    rig.server.silent = true;
    rig.server.store.delete(`${PODS}/gone`, {});
    rig.server.store.replace(`${PODS}/changed`, { metadata: { name: 'changed', labels: { v: '2' } } });
    rig.makePod('new');
    rig.server.silent = false;
  }

  beforeEach(async () => {
    for (const name of ['changed', 'gone', 'same']) rig.makePod(name);
    rig.start();
    await rig.watching();
    rig.seen.length = 0;
    await rig.clock.advance(20_000);
  });

  it('by 410 inside the stream: relist, and the differences are told', async () => {
    changeUnseen();
    rig.server.store.compact();
    rig.server.cutStreams('end');
    await rig.passBackoff();
    await rig.streamsOpened(3);
    expect(rig.seen).toEqual(['~changed', '+new', '-gone']);
    expect(rig.health.lists).toBe(2);
  });

  it('by HTTP 410', async () => {
    changeUnseen();
    rig.server.faults.push({ when: ({ watch: isWatch }) => isWatch, then: { status: 410, reason: 'Expired' } });
    rig.server.cutStreams('end');
    await rig.passBackoff();
    await rig.streamsOpened(2);
    expect(rig.seen).toEqual(['~changed', '+new', '-gone']);
  });

  it('by any other ERROR inside the stream', async () => {
    changeUnseen();
    rig.server.sendError(500, 'InternalError');
    await rig.passBackoff();
    await until(() => rig.seen.length === 3);
    expect(rig.failures).toMatchObject([{ status: 500, message: 'in-band 500' }]);
    expect(rig.health.lists).toBe(2);
    await rig.streamsOpened(2);
  });

  it('again and again: lists are damped', async () => {
    rig.server.faults.push({ when: ({ watch: isWatch }) => isWatch, then: { status: 410 }, times: 4 });
    rig.server.cutStreams('end');
    const pauses = await rig.passFailures(4);
    await rig.streamsOpened(2);
    expect(pauses).toEqual([500, 1000, 2000, 4000]);
    expect(rig.seen).toEqual([]);
  });
});
