// List and watch on a real API server: pages, broken connections, a place that the server has forgotten.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Cache } from '../../operator/kube/cache.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { Transport } from '../../operator/kube/connection.ts';
import type { KubeError } from '../../operator/kube/errors.ts';
import { fileTransport } from '../../operator/kube/transport.ts';
import type { WatchHealth } from '../../operator/kube/watch.ts';
import { newWatchHealth, watch } from '../../operator/kube/watch.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import type { KubeRig } from '../support/kube-rig.ts';
import { startKubeRig, unlimitedClient, WIDGET } from '../support/kube-rig.ts';

const soon = { timeout: 10_000, interval: 20 };

let rig: KubeRig;
let ours: Transport;
let stop: AbortController;
let followed: Promise<void>;
let cache: Cache<string>;
let health: WatchHealth;
let failures: KubeError[];

beforeAll(async () => {
  rig = await startKubeRig();
});

beforeEach(async () => {
  ours = fileTransport(rig.kubeconfig);
  stop = new AbortController();
  health = newWatchHealth(systemClock);
  failures = [];
  cache = new Cache({ project: ({ metadata }) => metadata.name });
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => aWidget(name)));
});

afterEach(async () => {
  stop.abort();
  await followed;
  ours.close();
  await Promise.all(cache.values().map((name) => rig.remove(WIDGET, name)));
});

afterAll(() => rig.transport.close());

function aWidget(name: string): Promise<unknown> {
  return rig.create(WIDGET, name);
}

function follow(client: KubeClient): void {
  const options = {
    client,
    clock: systemClock,
    random: () => 0.1,
    type: WIDGET,
    namespace: rig.namespace,
    pageLimit: 2,
    health,
  };
  const onFailure = (error: KubeError) => failures.push(error);
  followed = cache.follow(watch({ ...options, onFailure, signal: stop.signal }));
}

const holds = (...names: string[]) => vi.waitFor(() => expect([...cache.values()].sort()).toEqual(names), soon);

it('lists in pages and follows', async () => {
  follow(unlimitedClient(ours));
  await holds('a', 'b', 'c', 'd', 'e');
  await aWidget('f');
  await rig.remove(WIDGET, 'a');
  await holds('b', 'c', 'd', 'e', 'f');
  expect(health).toMatchObject({ lists: 1, streams: 1, deadSince: undefined });
});

it('resumes without a list when its connections break', async () => {
  follow(unlimitedClient(ours));
  await vi.waitFor(() => expect(health.streams).toBe(1), soon);
  const { agent } = await ours.credentials();
  agent.destroy();
  await aWidget('f');
  await rig.remove(WIDGET, 'b');
  await holds('a', 'c', 'd', 'e', 'f');
  expect(health.lists).toBe(1);
  expect(failures).toHaveLength(1);
});

it('lists again when the server no longer knows its place', async () => {
  const client = unlimitedClient(ours);
  const versions = [1];
  const rewinding: KubeClient = {
    request: (...args) => client.request(...args),
    stream: (path, query, ...rest) =>
      client.stream(path, { ...query, resourceVersion: versions.pop() ?? query['resourceVersion'] }, ...rest),
  };
  follow(rewinding);
  await vi.waitFor(() => expect(health).toMatchObject({ lists: 2, deadSince: undefined }), soon);
  expect(failures).toMatchObject([{ status: 410, isExpired: true }]);
  await aWidget('f');
  await holds('a', 'b', 'c', 'd', 'e', 'f');
});
