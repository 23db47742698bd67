// Leader election on a real API server, with a lease a tenth as long as the real one.
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { LeaderElection } from '../../operator/kube/lease.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import type { KubeRig } from '../support/kube-rig.ts';
import { startKubeRig } from '../support/kube-rig.ts';

const timing = { durationMs: 1500, renewMs: 400, renewDeadlineMs: 1000, retryMs: 200 };

interface Candidate {
  readonly election: LeaderElection;
  /** `performance.now()` when it began to lead. */
  readonly leads: Promise<number>;
  /** As when the process dies: nothing is released. */
  readonly die: () => void;
}

let rig: KubeRig;
let stop: AbortController;
let running: Promise<unknown>[];

beforeAll(async () => {
  rig = await startKubeRig();
});

beforeEach(() => {
  stop = new AbortController();
  running = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.allSettled(running);
});

afterAll(() => rig.transport.close());

function aCandidate(identity: string, name: string): Candidate {
  const life = new AbortController();
  const signal = AbortSignal.any([life.signal, stop.signal]);
  const { client, namespace } = rig;
  const election = new LeaderElection({
    client,
    clock: systemClock,
    random: Math.random,
    namespace,
    name,
    identity,
    timing,
  });
  const leads = election.acquire(signal).then(() => performance.now());
  running.push(leads.then(() => election.hold(signal)));
  return { election, leads, die: () => life.abort() };
}

it('passes on at once when it is released', async () => {
  const a = aCandidate('a', 'released');
  await a.leads;
  const b = aCandidate('b', 'released');
  await wait(800);
  expect([a.election.isLeading, b.election.isLeading]).toEqual([true, false]);

  a.die();
  const start = performance.now();
  await a.election.release(rig.signal);
  expect((await b.leads) - start).toBeLessThan(500);
  await wait(1000);
  expect([a.election.isLeading, b.election.isLeading]).toEqual([false, true]);
});

it('passes on after its duration when its holder died', async () => {
  const a = aCandidate('a', 'died');
  await a.leads;
  const b = aCandidate('b', 'died');
  await wait(300);

  a.die();
  const start = performance.now();
  const took = (await b.leads) - start;

  expect(a.election.isLeading).toBe(false);
  expect(took).toBeGreaterThan(900);
  expect(took).toBeLessThan(2500);
});
