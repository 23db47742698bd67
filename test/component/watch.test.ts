// The watch and the cache behind it, against the fake API server: every way in which a stream ends.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../operator/kube/cache.ts';
import { Cache } from '../../operator/kube/cache.ts';
import type { KubeError } from '../../operator/kube/errors.ts';
import { RESOURCES } from '../../operator/kube/resources.ts';
import type { WatchHealth, WatchOptions } from '../../operator/kube/watch.ts';
import { newWatchHealth, watch } from '../../operator/kube/watch.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock, until } from '../support/fake-clock.ts';

const PODS = '/api/v1/namespaces/ml/pods';

let server: FakeApiServer;
let clock: FakeClock;
let health: WatchHealth;
let stop: AbortController;
let failures: KubeError[];
let seen: string[];
let cache: Cache<string>;
let followed: Promise<void>;

function note({ name, before, after }: Change<string>): void {
  seen.push(before === undefined ? `+${name}` : after === undefined ? `-${name}` : `~${name}`);
}

function start(options: Partial<WatchOptions> = {}): void {
  cache = new Cache({ project: ({ metadata }) => metadata.resourceVersion, onChange: note });
  const client = server.client(clock);
  const onFailure = (error: KubeError) => failures.push(error);
  followed = cache.follow(
    watch({
      client,
      clock,
      random: () => 0.5,
      type: RESOURCES.Pod,
      namespace: 'ml',
      health,
      onFailure,
      signal: stop.signal,
      ...options,
    }),
  );
}

function aPod(name: string, labels: Record<string, string> = {}): void {
  server.store.create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels } });
}

const watching = () => until(() => server.streams === 1 && health.deadSince === undefined, 'a stream');
const streamsOpened = (count: number) =>
  until(() => health.streams === count && server.streams === 1, `stream ${count}`);

/** Waits for the back-off to begin, then lets it pass. */
async function passBackoff(): Promise<void> {
  await until(() => server.streams === 0 && clock.pending.length === 1, 'the back-off');
  await clock.advance(clock.pending[0] ?? 0);
}

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  health = newWatchHealth(clock);
  stop = new AbortController();
  failures = [];
  seen = [];
});

afterEach(async () => {
  stop.abort();
  await followed;
  await server.stop();
  expect(server.unexpected).toEqual([]);
  expect(clock.pending).toEqual([]);
});

describe('a list', () => {
  it('comes in pages, and the stream goes on where it ends', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) aPod(name);
    start({ pageLimit: 2 });
    await cache.synced;
    await watching();
    aPod('f');
    await until(() => cache.size === 6);
    expect(seen).toEqual(['+a', '+b', '+c', '+d', '+e', '+f']);
    expect(server.count('GET')).toBe(3);
    expect(health.lists).toBe(1);
  });

  it('whose pages take longer than the server remembers is asked for at once', async () => {
    for (const name of ['a', 'b', 'c']) aPod(name);
    server.faults.push({ when: ({ query }) => query.has('continue'), then: { status: 410, reason: 'Expired' } });
    start({ pageLimit: 2 });
    await passBackoff();
    await cache.synced;
    expect(cache.size).toBe(3);
    expect(server.requests.filter((request) => !request.watch).map(({ query }) => query.get('limit'))).toEqual([
      '2',
      '2',
      null,
    ]);
  });

  it('that fails is tried again with growing pauses of at most 30 s', async () => {
    server.faults.push({ when: () => true, then: { status: 500 }, times: 8 });
    const pauses: number[] = [];
    start();
    for (let i = 0; i < 8; i += 1) {
      await until(() => failures.length === i + 1 && clock.pending.length === 1);
      pauses.push(clock.pending[0] ?? 0);
      expect(cache.isSynced).toBe(false);
      expect(health.deadSince).toBe(0);
      await clock.advance(clock.pending[0] ?? 0);
    }
    await cache.synced;
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    await watching();
    expect(health.deadSince).toBeUndefined();
  });

  it('keeps to the selectors', async () => {
    aPod('ours', { app: 'x' });
    aPod('theirs', { app: 'y' });
    start({ labelSelector: 'app=x' });
    await watching();
    aPod('theirs2', { app: 'y' });
    aPod('ours2', { app: 'x' });
    await until(() => cache.size === 2);
    expect(seen).toEqual(['+ours', '+ours2']);
  });
});

describe('a stream that ends', () => {
  it('cleanly after a while is opened again at once where it was, without a list', async () => {
    start();
    await watching();
    aPod('a');
    await until(() => cache.size === 1);
    await clock.advance(30_000);
    server.cutStreams('end');
    await streamsOpened(2);
    aPod('b');
    await until(() => cache.size === 2);
    expect(seen).toEqual(['+a', '+b']);
    expect(health).toMatchObject({ lists: 1, streams: 2 });
  });

  it('too soon waits for its back-off', async () => {
    start();
    await watching();
    server.cutStreams('end');
    await until(() => clock.pending.length === 1 && server.streams === 0);
    expect(health).toMatchObject({ streams: 1, deadSince: 0 });
    await clock.advance(500);
    await streamsOpened(2);
  });

  it('in the middle of a line resumes after what it had given', async () => {
    start();
    await watching();
    aPod('a');
    await until(() => cache.size === 1);
    server.cutStreams('break');
    await until(() => failures.length === 1);
    server.store.delete(`${PODS}/a`, {});
    aPod('b');
    await passBackoff();
    await until(() => seen.length === 3);
    expect(seen).toEqual(['+a', '-a', '+b']);
    expect(health.lists).toBe(1);
  });

  it('is refused with a 500 several times: no list either', async () => {
    start();
    await watching();
    server.faults.push({ when: ({ watch: isWatch }) => isWatch, then: { status: 500 }, times: 3 });
    await clock.advance(20_000);
    server.cutStreams('end');
    for (let i = 1; i <= 3; i += 1) {
      await until(() => failures.length === i && clock.pending.length === 1);
      await clock.advance(clock.pending[0] ?? 0);
    }
    await streamsOpened(2);
    expect(health.lists).toBe(1);
  });

  it('by silence is opened anew from the last bookmark', async () => {
    start({ idleMs: 40_000 });
    await watching();
    server.store.version = 5000;
    server.bookmark();
    await clock.advance(30_000);
    server.bookmark();
    await clock.advance(39_000);
    expect(health.streams).toBe(1);

    server.silent = true;
    aPod('unheard');
    await clock.advance(1000);
    server.silent = false;
    await streamsOpened(2);
    await until(() => cache.size === 1);

    expect(server.requests.filter((request) => request.watch).map(({ query }) => query.get('resourceVersion'))).toEqual(
      ['1000', '5000'],
    );
    expect(health.lists).toBe(1);
    expect(failures).toEqual([]);
  });

  it('asks for bookmarks and for an end of its own between 5 and 10 minutes', async () => {
    start();
    await watching();
    const query = server.requests.find((request) => request.watch)?.query;
    expect(query?.get('allowWatchBookmarks')).toBe('true');
    expect(query?.get('timeoutSeconds')).toBe('450');
  });
});

describe('a place that is lost', () => {
  /** Changes that the stream does not tell of. */
  function changeUnseen(): void {
    server.silent = true;
    server.store.delete(`${PODS}/gone`, {});
    server.store.replace(`${PODS}/changed`, { metadata: { name: 'changed', labels: { v: '2' } } });
    aPod('new');
    server.silent = false;
  }

  beforeEach(async () => {
    for (const name of ['changed', 'gone', 'same']) aPod(name);
    start();
    await watching();
    seen.length = 0;
    await clock.advance(20_000);
  });

  it('by 410 inside the stream: relist, and the differences are told', async () => {
    changeUnseen();
    server.store.compact();
    server.cutStreams('end');
    await passBackoff();
    await streamsOpened(3);
    expect(seen).toEqual(['~changed', '+new', '-gone']);
    expect(health.lists).toBe(2);
  });

  it('by HTTP 410', async () => {
    changeUnseen();
    server.faults.push({ when: ({ watch: isWatch }) => isWatch, then: { status: 410, reason: 'Expired' } });
    server.cutStreams('end');
    await passBackoff();
    await streamsOpened(2);
    expect(seen).toEqual(['~changed', '+new', '-gone']);
  });

  it('by any other ERROR inside the stream', async () => {
    changeUnseen();
    server.sendError(500, 'InternalError');
    await passBackoff();
    await until(() => seen.length === 3);
    expect(failures).toMatchObject([{ status: 500, message: 'in-band 500' }]);
    expect(health.lists).toBe(2);
    await streamsOpened(2);
  });

  it('again and again: lists are damped', async () => {
    server.faults.push({ when: ({ watch: isWatch }) => isWatch, then: { status: 410 }, times: 4 });
    server.cutStreams('end');
    const pauses: number[] = [];
    for (let i = 1; i <= 4; i += 1) {
      await until(() => failures.length === i && clock.pending.length === 1);
      pauses.push(clock.pending[0] ?? 0);
      await clock.advance(clock.pending[0] ?? 0);
    }
    await streamsOpened(2);
    expect(pauses).toEqual([500, 1000, 2000, 4000]);
    expect(seen).toEqual([]);
  });
});

it('leaves an object out that is none, and goes on with the others', async () => {
  start();
  await watching();
  server.store.onChange({
    version: 2000,
    type: 'ADDED',
    collection: PODS,
    object: { metadata: { labels: {} } } as never,
  });
  aPod('good');
  await until(() => cache.size === 1);
  expect(failures).toMatchObject([{ reason: 'Malformed' }]);
});

it('ends when it is aborted in a pause, and while it streams', async () => {
  server.faults.push({ when: () => true, then: 'reset' });
  start();
  await until(() => clock.pending.length === 1);
  stop.abort();
  await followed;
  expect(cache.isSynced).toBe(false);
});
