import { beforeEach, describe, expect, it } from 'vitest';
import type { ModelInfo } from '../../inference/contract.ts';
import { FakeClock, settle } from '../../test/support/fake-clock.ts';
import type { InfoOutcome } from './reload-client.ts';
import { PodReports, type ReportingPod } from './reports.ts';

const MAX_AGE = 300_000;
const signal = new AbortController().signal;

let clock: FakeClock;
let asked: string[];
let answer: (ip: string) => Promise<InfoOutcome>;
let reports: PodReports;

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  answer = (ip) => Promise.resolve({ kind: 'info', info: info(ip) });
  const ask = (ip: string) => {
    asked.push(ip);
    return answer(ip);
  };
  reports = new PodReports({ clock, ask, concurrency: 2, maxAgeMs: MAX_AGE });
});

function info(variant: string): ModelInfo {
  return {
    version: '1',
    model_type: null,
    features: [],
    metrics: {},
    loaded_at: null,
    artifact: null,
    variant,
    sequence: 1,
  };
}

function pod(uid: string, overrides: Partial<ReportingPod> = {}): ReportingPod {
  return { uid, ip: `10.0.0.${uid}`, ready: true, terminating: false, restarts: 0, ...overrides };
}

it('asks each ready pod once', async () => {
  await reports.collect('ml/retail', [pod('1'), pod('2')], 't', signal);
  const second = await reports.collect('ml/retail', [pod('1'), pod('2')], 't', signal);

  expect(asked).toEqual(['10.0.0.1', '10.0.0.2']);
  expect([...second.keys()]).toEqual(['1', '2']);
});

it.each([
  ['restarted', { restarts: 1 }],
  ['got another address', { ip: '10.0.0.9' }],
  ['is not ready any more', { ready: false }],
])('asks again a pod that %s', async (_what, change) => {
  await reports.collect('ml/retail', [pod('1')], 't', signal);

  await reports.collect('ml/retail', [pod('1', change)], 't', signal);

  expect(asked).toHaveLength(2);
});

it('asks a pod that is not ready every time: it may be loading', async () => {
  for (let pass = 0; pass < 3; pass += 1) await reports.collect('ml/retail', [pod('1', { ready: false })], 't', signal);

  expect(asked).toHaveLength(3);
});

it('asks a pod that is loading every time: what it serves may change at any moment', async () => {
  answer = (ip) => Promise.resolve({ kind: 'info', info: { ...info(ip), loading: { sequence: 2 } } });
  for (let pass = 0; pass < 3; pass += 1) await reports.collect('ml/retail', [pod('1')], 't', signal);

  expect(asked).toHaveLength(3);
});

it('asks again once a report is invalidated or old', async () => {
  await reports.collect('ml/retail', [pod('1')], 't', signal);
  reports.invalidate('ml/retail', '1');
  await reports.collect('ml/retail', [pod('1')], 't', signal);
  await clock.advance(MAX_AGE);

  await reports.collect('ml/retail', [pod('1')], 't', signal);

  expect(asked).toHaveLength(3);
});

it('leaves out a pod that does not answer or has no address, and forgets what it once said', async () => {
  await reports.collect('ml/retail', [pod('1')], 't', signal);
  answer = () => Promise.resolve({ kind: 'unreachable', message: 'no' });
  const without = { uid: '2', ready: false, terminating: false, restarts: 0 };

  const seen = await reports.collect('ml/retail', [pod('1', { restarts: 1 }), without], 't', signal);

  expect(seen.size).toBe(0);
});

it('tells of a pod that refuses the token, and asks it again every time', async () => {
  answer = () => Promise.resolve({ kind: 'unauthorized' });

  for (let pass = 0; pass < 2; pass += 1)
    expect([...(await reports.collect('ml/retail', [pod('1')], 't', signal))]).toEqual([['1', { refusesToken: true }]]);

  expect(asked).toHaveLength(2);
});

describe('a pod that was told to load', () => {
  const crash = (id: string) => ({ id, reason: 'Error', exitCode: 1 });
  const told = async () => (await reports.collect('ml/retail', [pod('1')], 't', signal)).get('1')?.told;

  it('is asked again, and it is remembered what it was told, when, and which crash was known', async () => {
    await reports.collect('ml/retail', [pod('1')], 't', signal);
    reports.noteTold('ml/retail', { uid: '1', crash: crash('c1') }, 'r2');
    answer = () => Promise.resolve({ kind: 'unreachable', message: 'no' });
    clock.freeze(700);

    expect(await told()).toEqual({ revision: 'r2', agoMs: 700, crashId: 'c1', crashes: 0 });
    reports.invalidate('ml/retail', '1');
    expect(await told()).toMatchObject({ revision: 'r2' });
    expect(asked).toHaveLength(3);
  });

  it('keeps count of its crashes over the same revision, and over another one begins anew', async () => {
    reports.noteTold('ml/retail', { uid: '1' }, 'r2');
    reports.noteTold('ml/retail', { uid: '1', told: (await told())!, crash: crash('c1') }, 'r2');
    expect(await told()).toMatchObject({ crashId: 'c1', crashes: 1 });
    reports.noteTold('ml/retail', { uid: '1', told: (await told())!, crash: crash('c1') }, 'r2');
    expect(await told()).toMatchObject({ crashes: 1 });
    reports.noteTold('ml/retail', { uid: '1', told: (await told())!, crash: crash('c2') }, 'r1');
    expect(await told()).toMatchObject({ revision: 'r1', crashes: 0 });
  });

  it('is forgotten with its pod', async () => {
    reports.noteTold('ml/retail', { uid: '1' }, 'r2');
    await reports.collect('ml/retail', [], 't', signal);
    expect(await told()).toBeUndefined();
  });
});

it('forgets pods that are gone', async () => {
  await reports.collect('ml/retail', [pod('1'), pod('2')], 't', signal);
  await reports.collect('ml/retail', [pod('2')], 't', signal);

  await reports.collect('ml/retail', [pod('1'), pod('2')], 't', signal);

  expect(asked).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.1']);
});

it('keeps the pods of two resources apart', async () => {
  await reports.collect('ml/a', [pod('1')], 't', signal);
  await reports.collect('ml/b', [pod('2')], 't', signal);

  await reports.collect('ml/a', [pod('1')], 't', signal);

  expect(asked).toHaveLength(2);
});

it('has only so many questions open at a time', async () => {
  const open: (() => void)[] = [];
  answer = (ip) => new Promise((resolve) => open.push(() => resolve({ kind: 'info', info: info(ip) })));
  const all = reports.collect(
    'ml/retail',
    ['1', '2', '3', '4', '5'].map((uid) => pod(uid)),
    't',
    signal,
  );
  await settle();
  const atFirst = asked.length;
  while (asked.length < 5) {
    open.shift()?.();
    await settle();
  }
  for (const done of open) done();

  expect(atFirst).toBe(2);
  expect((await all).size).toBe(5);
});

it('goes on with the next after a question that threw', async () => {
  answer = (ip) =>
    ip === '10.0.0.1' ? Promise.reject(new Error('aborted')) : Promise.resolve({ kind: 'info', info: info(ip) });
  const failing = reports.collect('ml/a', [pod('1')], 't', signal);
  await expect(failing).rejects.toThrow('aborted');

  const seen = await reports.collect('ml/b', [pod('2'), pod('3'), pod('4')], 't', signal);

  expect(seen.size).toBe(3);
});
