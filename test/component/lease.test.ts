// Leader election against the fake API server: time moves only by the fake clock.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotLeadingError } from '../../operator/kube/errors.ts';
import { LeaderElection } from '../../operator/kube/lease.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { FakeClock, settle, until } from '../support/fake-clock.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/ops/leases';
const PATH = `${LEASES}/operator`;
const isWrite = ({ method }: { method: string }) => method === 'PUT' || method === 'POST';

let server: FakeApiServer;
let stop: AbortController;
let running: Promise<unknown>[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  stop = new AbortController();
  running = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.allSettled(running);
  await server.stop();
});

interface Candidate {
  readonly clock: FakeClock;
  readonly election: LeaderElection;
  readonly leaders: string[];
  /** undefined while it leads. */
  lost: string | undefined;
  signal: AbortController;
}

function aCandidate(identity: string, clock = new FakeClock()): Candidate {
  const leaders: string[] = [];
  const election = new LeaderElection({
    client: server.client(clock),
    clock,
    random: () => 0.5,
    namespace: 'ops',
    name: 'operator',
    identity,
    onLeader: (leader) => leaders.push(leader),
  });
  const candidate: Candidate = { clock, election, leaders, lost: undefined, signal: new AbortController() };
  const signal = AbortSignal.any([stop.signal, candidate.signal.signal]);
  const run = async () => {
    await election.acquire(signal);
    candidate.lost = await election.hold(signal);
  };
  running.push(run().catch(() => undefined));
  return candidate;
}

const leads = ({ election }: Candidate) => until(() => election.isLeading, 'leadership');
const watches = (count: number) => until(() => server.streams === count, `${count} watches`);
const spec = () => server.store.get(PATH)['spec'] as Record<string, unknown>;

/** Moves on in steps that leave loopback I/O its time. */
async function pass({ clock }: Candidate, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    await clock.advance(1000);
    for (let turn = 0; turn < 10; turn += 1) await settle();
  }
}

describe('a leader', () => {
  it('takes a lease that does not exist, and renews it every 5 s with full micro times', async () => {
    const a = aCandidate('a');
    await leads(a);
    expect(spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-02T03:04:05.000000Z',
      renewTime: '2026-01-02T03:04:05.000000Z',
      leaseTransitions: 1,
    });
    await watches(1);
    const before = server.requests.filter(isWrite).length;
    await pass(a, 30);
    expect(spec()).toMatchObject({
      acquireTime: '2026-01-02T03:04:05.000000Z',
      renewTime: '2026-01-02T03:04:35.000000Z',
    });
    expect(server.requests.filter(isWrite)).toHaveLength(before + 6);
    expect(a.lost).toBeUndefined();
    expect(server.unexpected).toEqual([]);
  });

  it('survives renewals that fail for a while', async () => {
    const a = aCandidate('a');
    await leads(a);
    server.faults.push({ when: isWrite, then: { status: 500 }, times: 2 });
    await pass(a, 30);
    expect(a.election.isLeading).toBe(true);
    expect(a.lost).toBeUndefined();
  });

  it('stops at the renew deadline, well before the lease ends', async () => {
    const a = aCandidate('a');
    await leads(a);
    await watches(1);
    server.faults.push({ when: isWrite, then: 'silent', times: 100 });
    await pass(a, 9);
    expect(a.election.isLeading).toBe(true);
    await pass(a, 2);
    expect(a.lost).toContain('could not be renewed');
    expect(() => a.election.assertLeading()).toThrow(NotLeadingError);
  });

  it('knows after a pause of the process that it leads no more, before any timer has fired', async () => {
    const a = aCandidate('a');
    await leads(a);
    a.clock.freeze(11_000);
    expect(() => a.election.assertLeading()).toThrow(NotLeadingError);
    await pass(a, 1);
    expect(a.lost).toContain('could not be renewed');
    expect(server.requests.filter(isWrite)).toHaveLength(1);
  });

  it('goes on when somebody edits the lease but leaves the holder', async () => {
    const a = aCandidate('a');
    await leads(a);
    await watches(1);
    server.store.replace(PATH, { metadata: { labels: { edited: 'yes' } }, spec: spec() });
    await pass(a, 20);
    expect(a.election.isLeading).toBe(true);
  });

  it('steps down at once when somebody else is written into the lease', async () => {
    const a = aCandidate('a');
    await leads(a);
    await watches(1);
    server.store.replace(PATH, { spec: { ...spec(), holderIdentity: 'intruder' } });
    await until(() => a.lost !== undefined);
    expect(a.election.isLeading).toBe(false);
  });

  it('is not confused by what the watch tells late', async () => {
    const a = aCandidate('a');
    await leads(a);
    await watches(1);
    const { metadata, ...rest } = server.store.get(PATH);
    const object = { ...rest, metadata: { ...metadata, resourceVersion: '1' }, spec: { holderIdentity: '' } };
    server.store.onChange({ version: 1, type: 'MODIFIED', collection: LEASES, object });
    await pass(a, 6);
    expect(a.lost).toBeUndefined();
    expect(a.election.isLeading).toBe(true);
  });

  it('makes the lease anew when it was deleted', async () => {
    const a = aCandidate('a');
    await leads(a);
    await watches(1);
    server.store.delete(PATH, {});
    await pass(a, 9);
    expect(a.election.isLeading).toBe(true);
    expect(spec()).toMatchObject({ holderIdentity: 'a' });
  });
});

describe('a standby', () => {
  it('writes nothing while the lease is renewed, and sends no requests but its watch', async () => {
    const a = aCandidate('a');
    await leads(a);
    const b = aCandidate('b', a.clock);
    await watches(2);
    await until(() => b.leaders.length === 1);
    const before = server.count('GET');
    await pass(a, 60);
    expect(b.election.isLeading).toBe(false);
    expect(server.count('GET')).toBe(before);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1 });
    expect(b.leaders).toEqual(['a']);
  });

  it('takes over at once when the lease is released', async () => {
    const a = aCandidate('a');
    await leads(a);
    const b = aCandidate('b');
    await watches(2);
    a.signal.abort();
    await a.election.release(stop.signal);
    expect(a.election.isLeading).toBe(false);
    await leads(b);
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2 });
    expect(b.clock.monotonic()).toBe(0);
  });

  it('takes over when the lease has not changed for 15 s on its own clock, whatever time is written in it', async () => {
    server.store.create(LEASES, {
      metadata: { name: 'operator' },
      spec: {
        holderIdentity: 'dead',
        leaseDurationSeconds: 15,
        renewTime: '2031-01-01T00:00:00.000000Z',
        leaseTransitions: 7,
      },
    });
    const b = aCandidate('b');
    await watches(1);
    await pass(b, 14);
    expect(server.requests.filter(isWrite)).toEqual([]);
    await pass(b, 1);
    await leads(b);
    expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 8 });
  });

  it('does not take a lease that was deleted under its leader before that one must have noticed', async () => {
    const a = aCandidate('a');
    await leads(a);
    const b = aCandidate('b');
    await until(() => b.leaders.length === 1);
    await watches(2);
    server.store.delete(PATH, {});
    await pass(b, 9);
    expect(b.election.isLeading).toBe(false);
  });

  it('looks itself when its watch is dead', async () => {
    const a = aCandidate('a');
    await leads(a);
    server.faults.push({ when: ({ watch }) => watch, then: { status: 500 }, times: 1000 });
    server.silent = true;
    const b = aCandidate('b', a.clock);
    await pass(a, 40);
    expect(b.election.isLeading).toBe(false);
    expect(a.election.isLeading).toBe(true);
  });

  it('of two exactly one gets a free lease', async () => {
    server.store.create(LEASES, { metadata: { name: 'operator' }, spec: {} });
    const clock = new FakeClock();
    const both = [aCandidate('a', clock), aCandidate('b', clock)];
    await until(() => both.some(({ election }) => election.isLeading));
    const [first] = both;
    if (first !== undefined) await pass(first, 20);
    expect(both.filter(({ election }) => election.isLeading)).toHaveLength(1);
    expect(spec()).toMatchObject({ leaseTransitions: 1 });
  });
});

describe('release', () => {
  it('does nothing when the lease is not ours', async () => {
    const a = aCandidate('a');
    await leads(a);
    const b = aCandidate('b');
    await until(() => b.leaders.length === 1);
    await b.election.release(stop.signal);
    expect(spec()).toMatchObject({ holderIdentity: 'a' });
  });

  it('holds although a renewal was under way', async () => {
    const a = aCandidate('a');
    await leads(a);
    await watches(1);
    server.faults.push({ when: isWrite, then: 'lostAnswer' });
    await a.clock.advance(5000);
    await until(() => server.requests.filter(isWrite).length >= 2);
    a.signal.abort();
    await a.election.release(stop.signal);
    expect(spec()).toMatchObject({ holderIdentity: '' });
  });
});
