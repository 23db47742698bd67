import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../test/support/fake-clock.ts';
import { FakeHaproxy } from '../test/support/fake-haproxy.ts';
import { Agent } from './agent.ts';
import { checksumOf } from './checksum.ts';
import type { RouterTable } from './contract.ts';
import type { Endpoints } from './endpoints.ts';
import { bindsFor } from './haproxy/config.ts';
import { nextRanges } from './split.ts';

const TICK = 1_000;

function tableOf(blue: number, green: number, generation = 1): RouterTable {
  const slots = ['blue', 'green'].map((variant, slot) => ({ slot, variant, service: variant }));
  return {
    generation,
    slots,
    ranges: nextRanges(undefined, [
      { slot: 0, weight: blue },
      { slot: 1, weight: green },
    ]),
  };
}

function endpointsOf(pods: Readonly<Record<string, readonly string[]>>): Endpoints {
  const list = (uids: readonly string[]) => uids.map((uid) => ({ uid, address: '10.0.0.1', port: 8080, ready: true }));
  return new Map(Object.entries(pods).map(([service, uids]) => [service, list(uids)]));
}

async function running(haproxy = new FakeHaproxy()) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const settings = { name: 'retail', directory: '/run/haproxy', ...bindsFor('10.0.0.9') };
  const files = { write: () => Promise.resolve() };
  const log = pino({ level: 'silent' });
  const agent = new Agent({ commandLine: haproxy, settings, files, clock, log, drainMs: 60_000 });
  const done = agent.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await done;
  });
  const tell = async (table: RouterTable, pods: Readonly<Record<string, readonly string[]>>) => {
    agent.setTable(table);
    agent.setEndpoints(endpointsOf(pods));
    await clock.advance(TICK);
  };
  await clock.advance(0);
  return { agent, haproxy, clock, tell };
}

const committed = (changes: readonly string[]) => changes.filter((change) => change.startsWith('commit'));

describe('Agent', () => {
  it('touches nothing and is not ready before it knows table and endpoints', async () => {
    const { agent, haproxy, clock } = await running();

    agent.setTable(tableOf(1, 1));
    await clock.advance(TICK);

    expect(haproxy.changes).toEqual([]);
    expect(agent.unready).toBe('no table or no endpoints received yet');
  });

  it('adds servers before it gives their slot buckets, and the table itself comes last', async () => {
    const { agent, haproxy, tell } = await running();

    await tell(tableOf(1, 1), { blue: ['b'], green: ['g'] });

    const order = haproxy.changes.filter((change) => /^(enable server|commit)/.test(change));
    expect(order).toEqual([
      'enable server slot0/b',
      'enable server slot1/g',
      'commit map @1 variants',
      'commit map @1 buckets',
      'commit map @1 table',
    ]);
    expect(agent.unready).toBeUndefined();
  });

  it('takes buckets away before it drains the last server of a slot', async () => {
    const { haproxy, tell } = await running();
    await tell(tableOf(1, 1), { blue: ['b'], green: ['g'] });
    haproxy.changes.length = 0;

    await tell(tableOf(1, 1), { blue: ['b'], green: [] });

    const order = haproxy.changes.filter((change) => /^(set|del|commit)/.test(change));
    expect(order).toEqual([
      'commit map @1 buckets',
      'set server slot1/g state drain',
      'set server slot1/g state maint',
      'del server slot1/g',
    ]);
  });

  it('rests when there is nothing to do', async () => {
    const { haproxy, clock, tell } = await running();
    await tell(tableOf(1, 1), { blue: ['b'], green: ['g'] });
    haproxy.changes.length = 0;

    await clock.advance(10 * TICK);

    expect(haproxy.changes).toEqual([]);
  });

  it('answers with what HAProxy holds', async () => {
    const { agent, tell } = await running();
    const table = tableOf(3, 1, 5);
    await tell(table, { blue: ['b1', 'b2'], green: [] });

    expect(await agent.applied(new AbortController().signal)).toMatchObject({
      generation: 5,
      checksum: checksumOf(table),
      slots: [
        { slot: 0, variant: 'blue', servers: 2, buckets: 10_000, skipped: false },
        { slot: 1, variant: 'green', servers: 0, buckets: 0, skipped: true },
      ],
    });
  });

  it('refills an HAProxy that has forgotten everything', async () => {
    const { agent, haproxy, clock, tell } = await running();
    await tell(tableOf(1, 1), { blue: ['b'], green: ['g'] });

    haproxy.running = false;
    await clock.advance(TICK);
    expect(agent.unready).toBe('HAProxy does not answer');
    haproxy.restart();
    await clock.advance(TICK);

    expect(agent.unready).toBeUndefined();
    expect([...haproxy.servers.keys()]).toEqual(['slot0/b', 'slot1/g']);
    expect(haproxy.maps.get('/run/haproxy/buckets.map')).toEqual(['0:4999 0', '5000:9999 1']);
  });

  it('is not ready, and gives no buckets, while HAProxy refuses the only server of a slot; then tries again', async () => {
    const { agent, haproxy, clock, tell } = await running();
    haproxy.refusals.set('add server slot1/g', 'backend slot1 is full');
    agent.setTable(tableOf(1, 1));
    agent.setEndpoints(endpointsOf({ blue: ['b'], green: ['g'] }));
    await clock.advance(0);
    expect(agent.unready).toBe('no server answers in slot 1');
    expect(haproxy.maps.get('/run/haproxy/buckets.map')).toEqual(['0:9999 0']);

    await tell(tableOf(1, 1), { blue: ['b'], green: ['g'] });

    expect(agent.unready).toBeUndefined();
    expect(haproxy.maps.get('/run/haproxy/buckets.map')).toEqual(['0:4999 0', '5000:9999 1']);
  });

  it('is not ready while HAProxy refuses the table', async () => {
    const { agent, haproxy, clock, tell } = await running();
    await tell(tableOf(1, 1), { blue: ['b'], green: ['g'] });
    haproxy.refusals.set('commit map @1 /run/haproxy/buckets', 'Version number out of range.');

    agent.setTable(tableOf(1, 3, 2));
    await clock.advance(0);
    expect(agent.unready).toBe('table 2 is not committed');
    await clock.advance(TICK);

    expect(agent.unready).toBeUndefined();
  });

  it('waits for the requests of a leaving server, but not for ever', async () => {
    const { haproxy, clock, tell } = await running();
    await tell(tableOf(1, 0), { blue: ['b1', 'b2'] });
    haproxy.servers.get('slot0/b2')!.inUse = 1;

    await tell(tableOf(1, 0), { blue: ['b1'] });
    await clock.advance(50 * TICK);
    expect(haproxy.changes).not.toContain('shutdown sessions server slot0/b2');
    await clock.advance(15 * TICK);

    expect(haproxy.changes).toContain('shutdown sessions server slot0/b2');
  });

  it('gives a server that came back its whole time when it leaves again', async () => {
    const { haproxy, clock, tell } = await running();
    await tell(tableOf(1, 0), { blue: ['b1', 'b2'] });
    haproxy.servers.get('slot0/b2')!.inUse = 1;
    await tell(tableOf(1, 0), { blue: ['b1'] });
    await clock.advance(40 * TICK);

    await tell(tableOf(1, 0), { blue: ['b1', 'b2'] });
    expect(haproxy.servers.get('slot0/b2')?.admin).toBe(0);
    await tell(tableOf(1, 0), { blue: ['b1'] });
    await clock.advance(40 * TICK);

    expect(haproxy.changes).not.toContain('shutdown sessions server slot0/b2');
  });

  it('marks the router that goes away, and goes on working', async () => {
    const { agent, haproxy, clock, tell } = await running();
    await tell(tableOf(1, 1), { blue: ['b'], green: ['g'] });
    haproxy.changes.length = 0;

    agent.drain();
    await clock.advance(TICK);
    await tell(tableOf(0, 1, 2), { blue: ['b'], green: ['g'] });

    expect(haproxy.maps.get('/run/haproxy/table.map')).toContain('draining 1');
    expect(committed(haproxy.changes)).toHaveLength(3);
    expect((await agent.applied(new AbortController().signal)).generation).toBe(2);
  });
});
