import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Server } from './haproxy/config.ts';
import { planServers, serverPath } from './server-plan.ts';
import type { ActualServer } from './server-plan.ts';

const DRAIN_MS = 1_000;

function server(name: string, overrides: Partial<Server> = {}): Server {
  return { slot: 0, name, address: '10.0.0.1', port: 8080, ...overrides };
}

function actual(name: string, overrides: Partial<ActualServer> = {}): ActualServer {
  return { ...server(name), up: true, mode: 'ready', inUse: 0, ...overrides };
}

function plan(
  desired: readonly Server[],
  present: readonly ActualServer[],
  now = 0,
  since = new Map<string, number>(),
) {
  const { gains, losses } = planServers(desired, present, { since, now, drainMs: DRAIN_MS });
  const text = (steps: typeof gains) =>
    steps.map(
      (step) => `${step.kind} ${serverPath(step.server)}${step.kind === 'remove' && step.forced ? ' forced' : ''}`,
    );
  return { gains: text(gains), losses: text(losses) };
}

describe('planServers', () => {
  it('adds what is missing and drains what is too much', () => {
    expect(plan([server('a'), server('b')], [actual('b'), actual('c')])).toEqual({
      gains: ['add slot0/a'],
      losses: ['drain slot0/c'],
    });
  });

  it('takes a server back that was on its way out', () => {
    expect(plan([server('a')], [actual('a', { mode: 'drain' })]).gains).toEqual(['resume slot0/a']);
    expect(plan([server('a')], [actual('a', { mode: 'maintenance' })]).gains).toEqual(['resume slot0/a']);
  });

  it('removes a drained server as soon as its last request has its answer', () => {
    expect(plan([], [actual('a', { mode: 'drain', inUse: 1 })]).losses).toEqual([]);
    expect(plan([], [actual('a', { mode: 'drain', inUse: 0 })]).losses).toEqual(['remove slot0/a']);
  });

  it('ends the requests of a server that has drained for too long', () => {
    const since = new Map([['slot0/a', 5_000]]);
    const busy = [actual('a', { mode: 'drain', inUse: 1 })];

    expect(plan([], busy, 5_999, since).losses).toEqual([]);
    expect(plan([], busy, 6_000, since).losses).toEqual(['remove slot0/a forced']);
  });

  it('lets go of a name whose address changed before it is added again', () => {
    const moved = server('a', { address: '10.0.0.9' });

    expect(plan([moved], [actual('a')])).toEqual({ gains: [], losses: ['drain slot0/a'] });
    expect(plan([moved], [])).toEqual({ gains: ['add slot0/a'], losses: [] });
  });

  it('keeps the same name in two slots apart', () => {
    expect(plan([server('a', { slot: 1 })], [actual('a')])).toEqual({
      gains: ['add slot1/a'],
      losses: ['drain slot0/a'],
    });
  });

  it('reaches what is desired from anywhere, and then rests', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
    const present = fc.uniqueArray(
      fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), mode: fc.constantFrom('ready', 'drain', 'maintenance') }),
      { selector: ({ name }) => name },
    );
    fc.assert(
      fc.property(names, present, (wanted, list) => {
        const desired = wanted.map((name) => server(name));
        let now = list.map(({ name, mode }) => actual(name, { mode }));
        for (let pass = 0; pass < 3; pass += 1) now = carryOut(desired, now);

        expect(now.map(({ name, mode }) => `${name} ${mode}`).sort()).toEqual(
          wanted.map((name) => `${name} ready`).sort(),
        );
        expect(plan(desired, now)).toEqual({ gains: [], losses: [] });
      }),
    );
  });
});

function carryOut(desired: readonly Server[], present: readonly ActualServer[]): ActualServer[] {
  const { gains, losses } = planServers(desired, present, { since: new Map(), now: 0, drainMs: DRAIN_MS });
  const servers = new Map(present.map((one) => [one.name, one]));
  for (const {
    kind,
    server: { name },
  } of [...gains, ...losses]) {
    if (kind === 'remove') servers.delete(name);
    else servers.set(name, actual(name, { mode: kind === 'drain' ? 'drain' : 'ready' }));
  }
  return [...servers.values()];
}
