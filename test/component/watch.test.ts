// The watch and the cache behind it, against the fake API server: its lists, and what it tells of objects.
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

describe('a list', () => {
  it('comes in pages, and the stream goes on where it ends', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) rig.makePod(name);
    rig.start({ pageLimit: 2 });
    await rig.cache.synced;
    await rig.watching();
    rig.makePod('f');
    await until(() => rig.cache.size === 6);
    expect(rig.seen).toEqual(['+a', '+b', '+c', '+d', '+e', '+f']);
    expect(rig.server.count('GET')).toBe(3);
    expect(rig.health.lists).toBe(1);
  });

  it('whose pages take longer than the server remembers is asked for at once', async () => {
    for (const name of ['a', 'b', 'c']) rig.makePod(name);
    rig.server.faults.push({ when: ({ query }) => query.has('continue'), then: { status: 410, reason: 'Expired' } });
    rig.start({ pageLimit: 2 });
    await rig.passBackoff();
    await rig.cache.synced;
    expect(rig.cache.size).toBe(3);
    expect(rig.server.requests.filter((request) => !request.watch).map(({ query }) => query.get('limit'))).toEqual([
      '2',
      '2',
      null,
    ]);
  });

  it('that fails is tried again with growing pauses of at most 30 s', async () => {
    rig.server.faults.push({ when: () => true, then: { status: 500 }, times: 8 });
    rig.start();
    const pauses = await rig.passFailures(8, () => {
      expect(rig.cache.isSynced).toBe(false);
      expect(rig.health.deadSince).toBe(0);
    });
    await rig.cache.synced;
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    await rig.watching();
    expect(rig.health.deadSince).toBeUndefined();
  });

  it('keeps to the selectors', async () => {
    rig.makePod('ours', { app: 'x' });
    rig.makePod('theirs', { app: 'y' });
    rig.start({ labelSelector: 'app=x' });
    await rig.watching();
    rig.makePod('theirs2', { app: 'y' });
    rig.makePod('ours2', { app: 'x' });
    await until(() => rig.cache.size === 2);
    expect(rig.seen).toEqual(['+ours', '+ours2']);
  });
});

it('leaves an object out that is none, and goes on with the others', async () => {
  rig.start();
  await rig.watching();
  rig.server.store.onChange({
    version: 2000,
    type: 'ADDED',
    collection: PODS,
    object: { metadata: { labels: {} } } as never,
  });
  rig.makePod('good');
  await until(() => rig.cache.size === 1);
  expect(rig.failures).toMatchObject([{ reason: 'Malformed' }]);
});

it('ends when it is aborted in a pause, and while it streams', async () => {
  rig.server.faults.push({ when: () => true, then: 'reset' });
  rig.start();
  await until(() => rig.clock.pending.length === 1);
  rig.stop.abort();
  await rig.followed;
  expect(rig.cache.isSynced).toBe(false);
});
