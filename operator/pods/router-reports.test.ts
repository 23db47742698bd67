import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { AppliedOutcome } from './router-client.ts';
import { RouterReports, type RouterPod } from './router-reports.ts';

const signal = new AbortController().signal;
const applied: AppliedOutcome = { kind: 'applied', applied: { generation: 1, checksum: 'c', slots: [] } };
const silence: AppliedOutcome = { kind: 'unreachable', message: 'no answer' };
const pod = (name: string, overrides: Partial<RouterPod> = {}): RouterPod => ({
  name,
  uid: name,
  ip: name,
  ready: true,
  terminating: false,
  ...overrides,
});
let clock: FakeClock;
let asked: string[];
let answers: Map<string, AppliedOutcome>;
let reports: RouterReports;
const collect = (...pods: readonly RouterPod[]) => reports.collect('ml/retail', pods, signal);

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  answers = new Map();
  reports = new RouterReports({
    clock,
    ask: (ip) => {
      asked.push(ip);
      return Promise.resolve(answers.get(ip) ?? silence);
    },
  });
});

it('asks a router that answers in every pass: an old answer confirms nothing', async () => {
  answers.set('a', applied);
  expect((await collect(pod('a'))).pods).toMatchObject([{ uid: 'a', applied: { checksum: 'c' } }]);
  await collect(pod('a'));
  expect(asked).toEqual(['a', 'a']);
});

it('asks a silent one less and less often, and counts how long it has been silent', async () => {
  for (let pass = 0; pass < 600; pass += 1) {
    await collect(pod('a'));
    clock.freeze(200);
  }
  expect(asked.length).toBeLessThan(60);
  expect((await collect(pod('a'))).pods).toMatchObject([{ silence: { ms: 120_000, hasAnswered: false } }]);
});

it('asks at once when a silent pod becomes ready', async () => {
  await collect(pod('a', { ready: false }));
  answers.set('a', applied);
  expect((await collect(pod('a'))).pods[0]).toHaveProperty('applied');
});

it('knows whether a silent pod has ever answered', async () => {
  answers.set('a', applied);
  await collect(pod('a'));
  answers.clear();
  expect((await collect(pod('a'))).pods).toMatchObject([{ silence: { ms: 0, hasAnswered: true } }]);
});

it('asks no pod without an address, and does not call it silent', async () => {
  const { ip, ...young } = pod('a');
  expect(ip).toBeDefined();
  expect((await collect(young)).pods).toEqual([{ name: 'a', uid: 'a', ready: true, terminating: false }]);
  expect(asked).toEqual([]);
});

describe('pods that were replaced', () => {
  it('are counted until all that are there have answered', async () => {
    await collect(pod('a'));
    reports.noteReplaced('ml/retail', 'a');
    expect((await collect(pod('b'))).replaced).toBe(1);
    answers.set('b', applied);
    clock.freeze(10_000);
    expect((await collect(pod('b'))).replaced).toBe(0);
  });

  it('begin anew with their silence, should their pod still be there', async () => {
    await collect(pod('a'));
    clock.freeze(120_000);
    reports.noteReplaced('ml/retail', 'a');
    expect((await collect(pod('a'))).pods).toMatchObject([{ silence: { ms: 0 } }]);
  });
});
